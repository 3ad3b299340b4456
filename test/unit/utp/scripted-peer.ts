import assert from "node:assert/strict";
import { toHex } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Instant, Millis } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import type { EndpointOptions, UtpEvent } from "../../../src/utp/options.ts";
import { DATA, decodePacket, Packet, STATE, SYN, writeHeader } from "../../../src/utp/packet.ts";

/** Where the scripted peer is. */
export const PEER: SocketAddress = { address: "10.0.0.2", port: 1002 };

/** One packet of the script; what is absent is 0 or empty. */
export interface ScriptPacket {
  readonly type: number;
  readonly id: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly timestamp?: number;
  readonly difference?: number;
  readonly extensions?: readonly (readonly [type: number, body: Uint8Array])[];
  readonly payload?: Uint8Array | string;
}

/** A packet the endpoint has sent. */
export interface SentPacket {
  readonly type: number;
  readonly id: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly size: number;
  readonly payload: Buffer;
  readonly sack: string;
  /** Flags and value of our handshake extension. */
  readonly handshake: readonly [flags: number, value: number] | undefined;
  readonly raw: Packet;
}

/** An endpoint against packets written by hand: what a foreign implementation does, byte by byte. */
export class ScriptedPeer {
  readonly endpoint: UtpEndpoint;
  readonly events: UtpEvent[] = [];
  now: Instant = 1000;
  #sent: SentPacket[] = [];

  constructor(options: Partial<EndpointOptions> = {}) {
    this.endpoint = new UtpEndpoint({ random: seededRandom(7), ...options });
  }

  /** Everything the endpoint has sent to anybody since the last call. */
  sent(): SentPacket[] {
    this.drain();
    return this.#sent.splice(0);
  }

  /** The only packet since the last call. */
  sentOne(): SentPacket {
    const sent = this.sent();
    assert.equal(sent.length, 1, `${sent.length} packets were sent`);
    return sent[0]!;
  }

  send(packet: ScriptPacket, remote = PEER): void {
    this.sendRaw(encode(packet), remote);
  }

  /** As `send`, within a burst: the endpoint is not drained. */
  arrive(packet: ScriptPacket): void {
    this.endpoint.handleDatagram({ data: encode(packet), remote: PEER }, this.now);
  }

  sendRaw(data: Uint8Array, remote = PEER): void {
    this.endpoint.handleDatagram({ data, remote }, this.now);
    this.drain();
  }

  /** Lets time pass, with every time-out on the way. */
  advance(ms: Millis): void {
    this.drain();
    const end = this.now + ms;
    for (
      let at = this.endpoint.pollTimeout();
      at !== undefined && at <= end;
      at = this.endpoint.pollTimeout()
    ) {
      this.now = Math.max(this.now, at);
      this.endpoint.handleTimeout(this.now);
      this.drain();
    }
    this.now = end;
  }

  drain(): void {
    for (let out = this.endpoint.pollTransmit(this.now); out; out = this.endpoint.pollTransmit(this.now)) {
      this.#sent.push(describe(out.data.slice()));
    }
    for (let event = this.endpoint.pollEvent(); event; event = this.endpoint.pollEvent()) {
      this.events.push(event);
    }
  }

  /** The types of the events so far. */
  get said(): string[] {
    return this.events.map(({ type }) => type);
  }

  /** The code of the error a connection closed with; undefined if it has not, or closed in good order. */
  get error(): string | undefined {
    const closed = this.events.find(({ type }) => type === "closed");
    return (closed?.error as { code?: string } | undefined)?.code;
  }

  drops(reason: string): number {
    return this.endpoint.drops.get(reason) ?? 0;
  }

  /** Dials the peer, who answers as libutp does. Returns the numbers both sides start with. */
  dialled(window = 100_000): { connection: UtpConnection; id: number; seq: number; peerSeq: number } {
    const connection = this.endpoint.connect(PEER, { keepAlive: false });
    const syn = this.sentOne();
    assert.equal(syn.type, SYN);
    const peerSeq = 5000;
    this.send({ type: STATE, id: syn.id, seq: peerSeq, ack: syn.seq, window });
    // It asks whether we live, and so shows that our proof has arrived.
    this.send({ type: DATA, id: syn.id, seq: peerSeq - 1, ack: syn.seq, window });
    this.sent();
    return { connection, id: syn.id, seq: (syn.seq + 1) & 0xffff, peerSeq };
  }
}

/** The bytes of a packet. */
export function encode(packet: ScriptPacket): Uint8Array {
  const { type, id, seq = 0, ack = 0, window = 0, timestamp = 0, difference = 0 } = packet;
  const { extensions = [] } = packet;
  const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
  const header = new Uint8Array(20);
  writeHeader(header, type, id, timestamp, difference, window, seq, ack);
  header[1] = extensions[0]?.[0] ?? 0;
  const chain = extensions.map(([, body], i) =>
    Buffer.from([extensions[i + 1]?.[0] ?? 0, body.length, ...body]),
  );
  return Buffer.concat([header, ...chain, payload ?? new Uint8Array(0)]);
}

function describe(data: Uint8Array): SentPacket {
  const packet = new Packet();
  assert.equal(decodePacket(data, packet), undefined);
  const { type, connectionId, seq, ack, window, sackStart, sackLength, handshakeStart } = packet;
  return {
    type,
    id: connectionId,
    seq,
    ack,
    window,
    size: data.length,
    payload: Buffer.from(packet.payload()),
    sack: toHex(data.subarray(sackStart, sackStart + sackLength)),
    handshake: handshakeStart > 0 ? [packet.handshakeFlags, packet.handshakeValue] : undefined,
    raw: packet,
  };
}
