import type { SeededRandom } from "../../../src/base/random.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Packet } from "./packet.ts";

/** What happened to a packet, and where. */
export interface Observation {
  readonly kind: "sent" | "received" | "dropped";
  /** Name of the host, router, segment or cable. */
  readonly where: string;
  readonly packet: Packet;
  /** Why it was dropped, such as `ttl`, `filtered` or `link loss`. */
  readonly reason?: string;
}

/** What all parts of one simulated network share. */
export interface World {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  observe(observation: Observation): void;
  /** A line for the trace that is not about one packet. */
  tell(text: string): void;
}
