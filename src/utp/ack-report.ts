import type { Instant, Millis } from "../contract/clock.ts";
import type { AckSample } from "./congestion.ts";

/** An AckSample that is filled again and again. */
export class AckReport implements AckSample {
  now: Instant = 0;
  ackedBytes = 0;
  rtt: Millis = 0;
  smoothedRtt: Millis = 0;
  minRtt: Millis = 0;
  delay = 0;
  peerDelay = 0;
  priorInFlight = 0;
  inFlight = 0;
  delivered = 0;
  priorDelivered = 0;
  deliveryRate = 0;
  appLimited = false;
  windowLimited = false;
}
