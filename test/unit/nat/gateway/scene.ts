import { fromHex } from "../../../../src/base/bytes.ts";
import { parseIp } from "../../../../src/base/ip.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import type { SocketAddress } from "../../../../src/contract/datagram-socket.ts";
import { GATEWAY_PORT } from "../../../../src/nat/gateway/answer.ts";
import { type MappingEvent, PortMapping } from "../../../../src/nat/gateway/port-mapping.ts";

export const GATEWAY: SocketAddress = { address: "192.168.1.1", port: GATEWAY_PORT };
export const CLIENT = "192.168.1.2";
/** The inner port. */
export const PORT = 40_001;
export const OUTER: SocketAddress = { address: "5.0.9.2", port: 5000 };

/** Bytes of a hexadecimal text with spaces. */
export function hex(text: string): Uint8Array {
  return fromHex(text.replaceAll(/\s/g, ""))!;
}

/** What a test's gateway says; without `nonce` as NAT-PMP does. */
export interface Answer {
  readonly nonce?: Uint8Array;
  readonly epoch?: number;
  readonly lifetime?: number;
  readonly outer?: SocketAddress;
}

/** That a port is mapped. */
export function mapped({ nonce, epoch = 100, lifetime = 1200, outer = OUTER }: Answer = {}): Uint8Array {
  const data = new Uint8Array(nonce ? 60 : 16);
  const view = new DataView(data.buffer);
  data.set(nonce ? [2, 0x81] : [0, 0x81]);
  view.setUint32(nonce ? 8 : 4, epoch);
  view.setUint32(nonce ? 4 : 12, lifetime);
  view.setUint16(nonce ? 40 : 8, PORT);
  view.setUint16(nonce ? 42 : 10, outer.port);
  if (!nonce) return data;
  data.set(nonce, 24);
  data[36] = 17;
  data.set([0xff, 0xff, ...parseIp(outer.address)!.bytes], 54);
  return data;
}

/** The outer address, by NAT-PMP. */
export function addressOf(address = OUTER.address, epoch = 100): Uint8Array {
  const data = new Uint8Array(12);
  data.set([0, 0x80]);
  new DataView(data.buffer).setUint32(4, epoch);
  data.set(parseIp(address)!.bytes, 8);
  return data;
}

/** One mapping, and a clock. */
export class Scene {
  readonly mapping: PortMapping;
  readonly events: MappingEvent[] = [];
  /** What was sent, and when. */
  readonly sent: { readonly data: Uint8Array; readonly at: number }[] = [];
  now = 0;

  constructor() {
    const options = { random: seededRandom(1), gateway: GATEWAY.address, client: CLIENT, port: PORT };
    this.mapping = new PortMapping(options, this.now);
    this.#drain();
  }

  /** The last request's bytes. */
  get last(): Uint8Array {
    return this.sent.at(-1)!.data;
  }

  /** That of our PCP requests. */
  get nonce(): Uint8Array {
    return this.sent[0]!.data.slice(24, 36);
  }

  /** When something was sent since `from`. */
  timesSince(from = 0): number[] {
    return this.sent.filter(({ at }) => at >= from).map(({ at }) => at - from);
  }

  hear(data: Uint8Array, remote = GATEWAY): void {
    this.mapping.handleDatagram({ data, remote }, this.now);
    this.#drain();
  }

  refuse(): void {
    this.mapping.handleRefusal(this.now);
    this.#drain();
  }

  close(): void {
    this.mapping.close(this.now);
    this.#drain();
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = this.mapping.pollTimeout();
      if (due === undefined || due > end) break;
      this.now = Math.max(this.now, due);
      this.mapping.handleTimeout(this.now);
      this.#drain();
    }
    this.now = end;
  }

  #drain(): void {
    for (let out = this.mapping.pollTransmit(); out; out = this.mapping.pollTransmit()) {
      if (out.remote.address !== GATEWAY.address || out.remote.port !== GATEWAY.port) {
        throw new Error(`sent to ${out.remote.address}:${out.remote.port}`);
      }
      this.sent.push({ data: out.data, at: this.now });
    }
    for (let event = this.mapping.pollEvent(); event; event = this.mapping.pollEvent())
      this.events.push(event);
  }
}
