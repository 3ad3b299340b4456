import { sameBytes } from "../../base/bytes.ts";
import { earliest } from "../../base/deadlines.ts";
import { ipFamily, ipScope } from "../../base/ip.ts";
import type { Instant, Millis } from "../../contract/clock.ts";
import type { Datagram, SocketAddress } from "../../contract/datagram-socket.ts";
import type { DatagramEngine } from "../../contract/engine.ts";
import type { Random } from "../../contract/runtime.ts";
import { GATEWAY_PORT, type GatewayAnswer, type GatewayProtocol, type MapRequest } from "./answer.ts";
import { natPmpAddressRequest, natPmpMapRequest, readNatPmp } from "./nat-pmp.ts";
import { pcpMapRequest, readPcp } from "./pcp.ts";

/** Chosen: what a process that was killed leaves behind is gone by then, and one request in ten minutes is nothing. */
const LEASE: Millis = 1_200_000;
/** Shorter ones are taken for a refusal (chosen: half of what RFC 6887 §15 wants a server to give at least). */
const MIN_LEASE: Millis = 60_000;
/** No request follows another one sooner, unless that was answered or is repeated (RFC 6887 §11.2.1). */
const MIN_INTERVAL: Millis = 4_000;
/** How long each try waits. PCP: RFC 6887 §8.1.1, cut short as NAT-PMP follows; NAT-PMP: RFC 6886 §3.1, the first six. */
const WAITS: Readonly<Record<GatewayProtocol, readonly Millis[]>> = {
  pcp: [3_000, 6_000],
  "nat-pmp": [250, 500, 1_000, 2_000, 4_000, 8_000],
};
/** The same at the end, for which somebody waits (chosen: gateways are near, and the lease ends by itself). */
const LAST_WAITS: readonly Millis[] = [250, 500, 1_000];
/** Until a gateway that does not answer, or refuses for no stated time, is asked again (chosen: it may have been replaced). */
const PAUSE: Millis = 600_000;
const MIN_PAUSE: Millis = 30_000;
const MAX_PAUSE: Millis = 3_600_000;

/** Which port is to be mapped, where. */
export interface PortMappingOptions {
  readonly random: Random;
  /** IPv4 literal of the gateway. */
  readonly gateway: string;
  /** IPv4 literal of ours from which it is asked. */
  readonly client: string;
  /** Our UDP port. */
  readonly port: number;
}

/** What became of it: `mapped` also when the outer address has changed, `unmapped` for each time that there is none, `closed` last. */
export type MappingEvent =
  | { readonly type: "mapped"; readonly outer: SocketAddress }
  | { readonly type: "unmapped"; readonly why: string }
  | { readonly type: "closed" };

/** Why a datagram was not used. */
export type MappingDrop = "elsewhere" | "malformed" | "unasked";

interface Lease {
  readonly port: number;
  readonly address: string;
  readonly until: Instant;
}

/** The address before NAT-PMP has told it. */
const NO_ADDRESS = "0.0.0.0";

/**
 * Has a gateway map one UDP port, by PCP (RFC 6887) or else NAT-PMP (RFC 6886), renews that at half of the lease and ends it with
 * `close`. Asks at once, and for as long as it lives: one that does not answer again after ten minutes.
 */
export class PortMapping implements DatagramEngine<MappingEvent> {
  /** What came and was not used, by reason. */
  readonly drops = new Map<MappingDrop, number>();
  readonly #options: PortMappingOptions;
  readonly #nonce: Uint8Array;
  readonly #out: Datagram[] = [];
  readonly #events: MappingEvent[] = [];
  #protocol: GatewayProtocol = "pcp";
  /** The answer that is waited for. */
  #asked: "map" | "address" | undefined;
  #tries = 0;
  #sentAt: Instant = Number.NEGATIVE_INFINITY;
  #due: Instant | undefined;
  #lease: Lease | undefined;
  /** As it was told. */
  #outer: SocketAddress | undefined;
  /** When the gateway had which epoch. */
  #epoch: { readonly seconds: number; readonly at: Instant } | undefined;
  #closing = false;
  #closed = false;

  constructor(options: PortMappingOptions, now: Instant) {
    this.#options = options;
    this.#nonce = options.random.fill(new Uint8Array(12));
    this.#ask("map", now);
  }

  #ask(what: "map" | "address", now: Instant): void {
    this.#asked = what;
    this.#tries = 0;
    this.#send(now);
  }

  #send(now: Instant): void {
    const waits = this.#closing ? LAST_WAITS : WAITS[this.#protocol];
    this.#due = now + waits[this.#tries++]!;
    this.#sentAt = now;
    const { gateway } = this.#options;
    this.#out.push({ data: this.#request(), remote: { address: gateway, port: GATEWAY_PORT } });
  }

  #request(): Uint8Array {
    if (this.#asked === "address") return natPmpAddressRequest();
    const { client, port: inner } = this.#options;
    const { port, address } = this.#lease ?? { port: inner, address: NO_ADDRESS };
    const lifetime = this.#closing ? 0 : LEASE / 1000;
    const request: MapRequest = { client, nonce: this.#nonce, inner, outer: { port, address }, lifetime };
    return this.#protocol === "pcp" ? pcpMapRequest(request) : natPmpMapRequest(request);
  }

  handleDatagram({ data, remote }: Datagram, now: Instant): void {
    if (this.#closed) return;
    if (remote.address !== this.#options.gateway || remote.port !== GATEWAY_PORT) {
      this.#drop("elsewhere");
      return;
    }
    const answer = data[0] === 0 ? readNatPmp(data) : readPcp(data);
    if (!answer) this.#drop("malformed");
    else if (!this.#isOurs(answer)) this.#drop("unasked");
    else this.#take(answer, now);
  }

  #drop(reason: MappingDrop): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  #isOurs(answer: GatewayAnswer): boolean {
    if (answer.type === "announced") return true;
    if (answer.type === "address") return this.#asked === "address";
    if (answer.type !== "mapped") return this.#asked !== undefined;
    const { inner, nonce } = answer;
    if (inner !== this.#options.port || (nonce !== undefined) !== (this.#protocol === "pcp")) return false;
    // A PCP server tells of changes unasked (RFC 6887 §14.2).
    return nonce ? sameBytes(nonce, this.#nonce) : this.#asked === "map";
  }

  #take(answer: GatewayAnswer, now: Instant): void {
    if (this.#closing) this.#takeLast(answer);
    else if (answer.type === "mapped") this.#takeLease(answer, now);
    else if (answer.type === "address") this.#takeAddress(answer, now);
    else if (answer.type === "announced") this.#renewIfForgotten(answer.epoch, now);
    else if (answer.type === "refused") {
      const pause = answer.pause === undefined ? PAUSE : answer.pause * 1000;
      this.#giveUp(`it refuses with ${answer.code}`, pause, now);
    } else this.#takeOtherProtocol("it speaks neither PCP nor NAT-PMP", now);
  }

  /** Whatever it says of the end, it has heard of it. */
  #takeLast({ type }: GatewayAnswer): void {
    if (type !== "announced" && type !== "address") this.#finish();
  }

  #takeLease(answer: GatewayAnswer & { type: "mapped" }, now: Instant): void {
    const { epoch, port, lifetime, address = this.#lease?.address ?? NO_ADDRESS } = answer;
    this.#isForgotten(epoch, now);
    const lasts = Math.min(lifetime * 1000, LEASE);
    if (lasts < MIN_LEASE || port === 0 || ipFamily(address) !== 4) {
      this.#giveUp("what it offers is of no use", PAUSE, now);
      return;
    }
    this.#lease = { port, address, until: now + lasts };
    if (this.#protocol === "nat-pmp") this.#ask("address", now);
    else this.#settle(this.#lease, now);
  }

  #takeAddress({ address, epoch }: GatewayAnswer & { type: "address" }, now: Instant): void {
    if (!this.#lease) return;
    this.#lease = { ...this.#lease, address };
    this.#settle(this.#lease, now);
    this.#renewIfForgotten(epoch, now);
  }

  /** The port is mapped, and where to. */
  #settle({ port, address, until }: Lease, now: Instant): void {
    this.#asked = undefined;
    this.#due = now + (until - now) / 2;
    if (ipScope(address) === "unspecified") this.#unmap("it has no outer address");
    else if (this.#outer?.port !== port || this.#outer.address !== address) {
      this.#outer = { address, port };
      this.#events.push({ type: "mapped", outer: this.#outer });
    }
  }

  #renewIfForgotten(epoch: number, now: Instant): void {
    if (!this.#isForgotten(epoch, now) || this.#asked !== undefined) return;
    this.#due = Math.max(now, this.#sentAt + MIN_INTERVAL);
  }

  /** Whether the gateway's clock has not gone as ours has since it spoke last: it has started anew (RFC 6887 §8.5). */
  #isForgotten(seconds: number, now: Instant): boolean {
    const last = this.#epoch;
    this.#epoch = { seconds, at: now };
    if (!last) return false;
    const here = (now - last.at) / 1000;
    const there = seconds - last.seconds;
    return there < -1 || here + 2 < (there * 15) / 16 || there + 2 < (here * 15) / 16;
  }

  #takeOtherProtocol(why: string, now: Instant): void {
    if (this.#protocol === "pcp" && !this.#closing) {
      this.#protocol = "nat-pmp";
      this.#ask("map", now);
    } else this.#giveUp(why, PAUSE, now);
  }

  /** There is no mapping, and will not be for a while. */
  #giveUp(why: string, pause: Millis, now: Instant): void {
    this.#lease = undefined;
    this.#unmap(why);
    this.#protocol = "pcp";
    this.#restUntil(now + Math.min(MAX_PAUSE, Math.max(MIN_PAUSE, pause)));
  }

  #restUntil(due: Instant): void {
    this.#asked = undefined;
    this.#due = due;
  }

  #unmap(why: string): void {
    this.#outer = undefined;
    this.#events.push({ type: "unmapped", why });
  }

  /** Nothing listens on the gateway's port, as ICMP says (RFC 6886 §3.1). */
  handleRefusal(now: Instant): void {
    if (this.#closed) return;
    if (this.#closing) this.#finish();
    else if (this.#asked !== undefined) this.#giveUp("nobody is there", PAUSE, now);
  }

  handleTimeout(now: Instant): void {
    if (this.#lease && now >= this.#lease.until && !this.#closing) {
      this.#lease = undefined;
      this.#unmap("the lease has ended");
    }
    if (this.#closed || this.#due === undefined || now < this.#due) return;
    const waits = this.#closing ? LAST_WAITS : WAITS[this.#protocol];
    if (this.#asked === undefined) this.#ask("map", now);
    else if (this.#tries < waits.length) this.#send(now);
    else this.#onSilence(now);
  }

  #onSilence(now: Instant): void {
    if (this.#closing) this.#finish();
    else if (this.#lease) this.#restUntil(now + Math.max(MIN_PAUSE, (this.#lease.until - now) / 2));
    else this.#takeOtherProtocol("it does not answer", now);
  }

  /** Ends the mapping. `closed` follows: when the gateway has said so, or after 2 s; at once if it never said anything. */
  close(now: Instant): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#ask("map", now);
    if (!this.#epoch) this.#finish();
  }

  #finish(): void {
    this.#closed = true;
    this.#lease = undefined;
    this.#due = undefined;
    this.#events.push({ type: "closed" });
  }

  pollTransmit(): Datagram | undefined {
    return this.#out.shift();
  }

  pollEvent(): MappingEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return earliest([this.#due, this.#closing ? undefined : this.#lease?.until]);
  }
}
