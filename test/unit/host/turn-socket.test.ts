import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DatagramSink } from "../../../src/contract/datagram-socket.ts";
import { TurnSocket } from "../../../src/host/turn-socket.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { type AttributeDraft, makeMessage } from "../../../src/stun/attribute.ts";
import { LongTermCredentials } from "../../../src/stun/long-term.ts";
import { decodeMessage, encodeMessage, type ReceivedMessage } from "../../../src/stun/message.ts";
import { LIFETIME, REFRESH, SEND_METHOD, XOR_RELAYED_ADDRESS } from "../../../src/turn/attributes.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { RecordedSocket } from "./recorded-socket.ts";

const SERVER = { address: "5.0.0.1", port: 3478 };
const RELAYED = { address: "5.0.0.1", port: 50_000 };
const PEER = { address: "5.0.2.1", port: 9000 };

/** Nobody challenges them. */
const CREDENTIALS = new LongTermCredentials({ crypto: nodeCrypto, username: "us", password: "secret" });

class Bench {
  readonly clock = new VirtualClock();
  readonly link = new RecordedSocket();

  get sink(): DatagramSink {
    return this.link.sink!;
  }

  /** The message that was sent last. */
  get last(): ReceivedMessage {
    const message = decodeMessage(this.link.sent.at(-1)!.data);
    assert.ok(typeof message !== "string");
    return message;
  }

  succeed(...attributes: AttributeDraft[]): void {
    const { method, transactionId } = this.last;
    this.sink.onDatagram(encodeMessage(makeMessage("success", method, transactionId, attributes)), SERVER);
  }

  opening(signal = new AbortController().signal) {
    const { link } = this;
    const options = { link, server: SERVER, reliable: false, credentials: CREDENTIALS };
    return TurnSocket.open(options, simulatedRuntime(this.clock), signal);
  }

  async open(): Promise<TurnSocket> {
    const opening = this.opening();
    this.succeed(XOR_RELAYED_ADDRESS.of(RELAYED), XOR_MAPPED_ADDRESS.of(PEER), LIFETIME.of(600));
    const socket = await opening;
    assert.ok(socket instanceof TurnSocket);
    const permitted = socket.permit(PEER.address);
    this.succeed();
    await permitted;
    return socket;
  }
}

const data = (size: number): Uint8Array => new Uint8Array(size);

describe("an allocation as a socket", () => {
  it("takes datagrams that fit through a relay, and no others", async () => {
    const bench = new Bench();
    const socket = await bench.open();
    assert.deepEqual([socket.local, socket.maxPayload], [RELAYED, 1448]);
    assert.equal(socket.send(data(1448), PEER), "sent");
    assert.equal(bench.last.method, SEND_METHOD);
    assert.equal(socket.send(data(1449), PEER), "EMSGSIZE");
    assert.equal(socket.send(data(1), { ...PEER, address: "5.0.2.2" }), "EACCES");
  });

  it("sends nothing while the system holds a frame back, also none of its own", async () => {
    const bench = new Bench();
    const socket = await bench.open();
    let drained = 0;
    socket.attach({ onDatagram() {}, onDrain: () => drained++ });
    bench.link.result = "queued";
    assert.equal(socket.send(data(3), PEER), "queued");
    bench.link.result = "sent";
    const { length } = bench.link.sent;
    assert.equal(socket.send(data(3), PEER), "ENOBUFS");
    bench.clock.advance(350_000);
    assert.equal(bench.link.sent.length, length);
    bench.sink.onDrain!();
    assert.equal(drained, 1);
    // What was due meanwhile: the refreshments and the keepalive.
    assert.ok(bench.link.sent.length > length);
  });

  it("never writes again into a frame that the system still reads", async () => {
    const bench = new Bench();
    const socket = await bench.open();
    for (let i = 0; i < 9; i++) socket.send(data(3), PEER);
    const bind = bench.link.sent.findLast(({ data }) => data[1] === 0x09)!;
    const request = decodeMessage(bind.data) as ReceivedMessage;
    const answer = makeMessage("success", request.method, request.transactionId);
    bench.sink.onDatagram(encodeMessage(answer), SERVER);
    bench.link.result = "queued";
    socket.send(Uint8Array.of(1, 1, 1), PEER);
    bench.link.result = "sent";
    bench.sink.onDrain!();
    socket.send(Uint8Array.of(2, 2, 2), PEER);
    const [first, second] = bench.link.buffers.slice(-2);
    assert.deepEqual([...first!], [0x40, 0, 0, 3, 1, 1, 1]);
    assert.deepEqual([...second!], [0x40, 0, 0, 3, 2, 2, 2]);
  });

  it("gives back what an aborted opening may have allocated", async () => {
    const bench = new Bench();
    const aborting = new AbortController();
    const opening = bench.opening(aborting.signal);
    aborting.abort(new Error("enough"));
    await assert.rejects(opening, /enough/);
    assert.equal(bench.link.closed, false);
    bench.succeed(XOR_RELAYED_ADDRESS.of(RELAYED), LIFETIME.of(600));
    assert.deepEqual([bench.last.method, LIFETIME.in(bench.last)], [REFRESH, 0]);
    bench.succeed(LIFETIME.of(0));
    assert.deepEqual([bench.link.closed, bench.clock.armed], [true, 0]);
  });

  it("keeps the process alive as it is told, and until it is given back", async () => {
    const bench = new Bench();
    const socket = await bench.open();
    socket.unref();
    assert.equal(bench.link.referenced, false);
    socket.close();
    assert.equal(bench.link.referenced, true);
    bench.succeed(LIFETIME.of(0));
    await socket.closed;
    assert.equal(bench.clock.armed, 0);
  });

  it("is lost with its link, and says why to all who wait", async () => {
    const bench = new Bench();
    const socket = await bench.open();
    const closed = new Promise<Error | undefined>((resolve) =>
      socket.attach({ onDatagram() {}, onClose: resolve }),
    );
    const waiting = socket.permit("5.0.2.9");
    bench.sink.onClose!(Object.assign(new Error("gone"), { code: "EPIPE" }));
    await assert.rejects(waiting, { code: "EPIPE" });
    assert.match(`${await closed}`, /read EPIPE 5\.0\.0\.1:3478/);
    assert.deepEqual([socket.lost, bench.clock.armed], [true, 0]);
  });
});
