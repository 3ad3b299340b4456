import { ExpiringMap } from "../base/expiring-map.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Outbox } from "./outbox.ts";
import { type Packet, RESET, STATE, SYN } from "./packet.ts";

/** How long we remember whom we sent a RESET, and how many of them (libutp: 10 s, 1000). */
const RESET_MEMORY: Millis = 10_000;
const MAX_RESETS = 1000;
/** RESETs to strangers in a second (chosen: a port scan is answered, a flood is not). */
const RESETS_PER_SECOND = 100;
/** What the peer sent last comes again until our acknowledgement arrives: we answer as long as it may try (its `timeout`). */
const LINGER: Millis = 30_000;
const MAX_LINGERING = 4096;

/** Last acknowledgements that are repeated when the port closes (chosen: more end within one round trip only on busy ports). */
const MAX_FAREWELLS = 16;
/** A peer that lost one has asked again by then (chosen: the first RTO of RFC 6298). */
const FAREWELL_AGE: Millis = 1000;
/** Copies of each. Together with the first, one in a thousand is lost where one packet in ten is. */
const FAREWELL_COPIES = 2;

/** The last numbers of a connection that ended in good order. */
interface Remnant {
  readonly sendId: number;
  readonly seq: number;
  readonly ack: number;
}

/** Where a connection is found by text: maps of what is rare. */
export function addressKey({ address, port }: SocketAddress, id: number): string {
  return `${address} ${port} ${id}`;
}

/** Answers packets of connections that do not exist (any more). */
export class Strangers {
  readonly #outbox: Outbox;
  readonly #remnants = new ExpiringMap<Remnant>(LINGER, MAX_LINGERING);
  /** The latest ones whose acknowledgement of the peer's FIN was the last packet. */
  readonly #farewells: { readonly remote: SocketAddress; readonly remnant: Remnant; readonly at: Instant }[] =
    [];
  readonly #resets = new ExpiringMap<true>(RESET_MEMORY, MAX_RESETS);
  readonly #rate = new TokenBucket(RESETS_PER_SECOND);

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** A connection ended in good order; its last acknowledgement may have been lost. */
  remember(remote: SocketAddress, receiveId: number, remnant: Remnant, now: Instant): void {
    this.#remnants.set(addressKey(remote, receiveId), remnant, now);
  }

  /** Acknowledges the peer's FIN; if that is lost, `answer` does so again. */
  acknowledge(remote: SocketAddress, remnant: Remnant, now: Instant): void {
    if (this.#farewells.push({ remote, remnant, at: now }) > MAX_FAREWELLS) this.#farewells.shift();
    this.#state(remote, remnant, now);
  }

  /** Nobody will answer any more: what was acknowledged last is acknowledged again. */
  repeatFarewells(now: Instant): void {
    for (const { remote, remnant, at } of this.#farewells) {
      if (now - at > FAREWELL_AGE) continue;
      for (let i = 0; i < FAREWELL_COPIES; i++) this.#state(remote, remnant, now);
    }
    this.#farewells.length = 0;
  }

  #state(remote: SocketAddress, { sendId, seq, ack }: Remnant, now: Instant): void {
    this.#outbox.push(remote, { type: STATE, connectionId: sendId, seq, ack }, now, true);
  }

  /** The id is used again. */
  forget(remote: SocketAddress, receiveId: number): void {
    this.#remnants.delete(addressKey(remote, receiveId));
  }

  /** A packet for nobody. Returns the reason to count. */
  answer(packet: Packet, remote: SocketAddress, now: Instant): string {
    if (packet.type === RESET) return "stranger-reset";
    const key = addressKey(remote, packet.connectionId);
    const remnant = this.#remnants.get(key, now);
    if (!remnant || packet.type === SYN) return this.reset(packet, remote, now);
    if (packet.type === STATE) return "after-close";
    const { sendId, seq, ack } = remnant;
    this.#outbox.push(remote, { type: STATE, connectionId: sendId, seq, ack }, now);
    return "after-close";
  }

  /** Refuses a packet, unless it was refused lately or too much is refused already. Returns the reason to count. */
  reset(packet: Packet, remote: SocketAddress, now: Instant): string {
    const reason = packet.type === SYN ? "refused" : "stranger";
    const key = addressKey(remote, packet.connectionId);
    if (this.#resets.get(key, now) || !this.#rate.take(now)) return reason;
    // A dialler may lose our answer and asks again; one answer to each SYN amplifies nothing.
    if (packet.type !== SYN) this.#resets.set(key, true, now);
    const { connectionId, seq } = packet;
    this.#outbox.push(remote, { type: RESET, connectionId, seq: 0, ack: seq }, now);
    return reason;
  }
}
