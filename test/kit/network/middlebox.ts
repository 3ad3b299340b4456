import type { Instant } from "../../../src/contract/clock.ts";
import type { Packet } from "./packet.ts";

/** What becomes of a packet: it goes on, to one side, or it is dropped. */
export type Verdict =
  | { readonly packet: Packet; readonly to: "inside" | "outside" }
  /** `refuse`: with an ICMP error. */
  | { readonly drop: string; readonly refuse?: boolean };

/** What a router does to packets between its inside and its outside. Time is an argument. */
export interface Middlebox {
  outbound(packet: Packet, now: Instant): Verdict;
  inbound(packet: Packet, now: Instant): Verdict;
  /** Forgets what it has learned from packets. */
  reboot(): void;
}
