import type { Millis } from "../../src/contract/clock.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { StunServers } from "../../src/host/stun-servers.ts";
import type { Net } from "../../src/host/stun-stream.ts";
import type { ReachOf } from "../../src/nat/reach.ts";

/** The transport's word. */
export const TYPE = "tcp-punch";

/** What dialling and listening share. */
export interface PunchParts {
  readonly net: Net;
  readonly signaling: Signaling;
  readonly stun: StunServers;
  /** 0: no limit. */
  readonly connectTimeout: Millis;
  /** What a connection gets once it is chosen. */
  readonly noDelay: boolean;
  /** Ms of idleness before probes; false: none. */
  readonly keepAlive: Millis | false;
  /** What may be sent to; absent: the usual rule. */
  readonly reach: ReachOf | undefined;
}
