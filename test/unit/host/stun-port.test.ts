import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import type { DatagramSink, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { StunPort, type StunPortOptions } from "../../../src/host/stun-port.ts";
import { makeMessage } from "../../../src/stun/attribute.ts";
import { BINDING } from "../../../src/stun/binding.ts";
import { encodeMessage } from "../../../src/stun/message.ts";
import { BindingResponder } from "../../../src/stun/responder.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { RecordedSocket } from "./recorded-socket.ts";

const SERVER: SocketAddress = { address: "10.0.0.2", port: 3478 };
const REQUEST = { to: SERVER, method: BINDING };

function bench(options: StunPortOptions = {}) {
  const clock = new VirtualClock();
  const socket = new RecordedSocket();
  const port = new StunPort(socket, simulatedRuntime(clock), options);
  socket.attach(port);
  return { clock, socket, port, sink: socket.sink as DatagramSink };
}

const asking = (): Uint8Array => encodeMessage(makeMessage("request", BINDING, new Uint8Array(12)));

describe("a STUN port", () => {
  it("stops while the system holds a datagram back, and goes on when it has drained", () => {
    const { socket, port, sink } = bench();
    socket.result = "queued";
    for (let i = 0; i < 3; i++) port.requests.request(REQUEST).catch(() => {});
    assert.equal(socket.sent.length, 1);
    socket.result = "sent";
    sink.onDrain!();
    assert.equal(socket.sent.length, 3);
    port.close();
  });

  it("drops answers the system would have to hold", () => {
    const { socket, port, sink } = bench({ responder: new BindingResponder() });
    socket.result = "queued";
    for (let i = 0; i < 3; i++) sink.onDatagram(asking(), SERVER);
    assert.deepEqual([socket.sent.length, port.unsent], [1, 2]);
    socket.result = "sent";
    sink.onDrain!();
    sink.onDatagram(asking(), SERVER);
    assert.deepEqual([socket.sent.length, port.unsent], [2, 2]);
  });

  it("answers nobody without a responder, and counts", () => {
    const { socket, port, sink } = bench();
    sink.onDatagram(asking(), SERVER);
    sink.onDatagram(new Uint8Array(0), SERVER);
    assert.equal(socket.sent.length, 0);
    assert.deepEqual(
      [...port.requests.client.drops],
      [
        ["request", 1],
        ["short", 1],
      ],
    );
  });

  it("fails a request the system refuses to send, but not for what passes", async () => {
    const { clock, socket, port } = bench();
    socket.result = "ENOBUFS";
    const patient = port.requests.request(REQUEST);
    clock.advance(100);
    socket.result = "ENETUNREACH";
    clock.advance(500);
    await assert.rejects(patient, { code: "ENETUNREACH", address: SERVER.address, port: SERVER.port });
    assert.equal(clock.armed, 0);
  });

  it("fails what is under way, and what comes later, when it closes", async () => {
    const { clock, port, sink } = bench();
    const pending = port.requests.request(REQUEST);
    sink.onClose!();
    await assert.rejects(pending, { code: "ECONNABORTED" });
    await assert.rejects(port.requests.request(REQUEST), { code: "ECONNABORTED" });
    assert.equal(clock.armed, 0);
  });

  it("forgets a request whose signal aborts, before and after it was sent", async () => {
    const { clock, socket, port } = bench();
    const reason = new Error("enough");
    await assert.rejects(port.requests.request(REQUEST, AbortSignal.abort(reason)), reason);
    assert.equal(socket.sent.length, 0);
    const abort = new AbortController();
    const pending = port.requests.request(REQUEST, abort.signal);
    assert.equal(socket.sent.length, 1);
    abort.abort(reason);
    await assert.rejects(pending, reason);
    clock.runUntilIdle();
    assert.deepEqual([port.requests.client.size, socket.sent.length], [0, 1]);
  });

  it("leaves nothing at a signal that outlives the request", async () => {
    const { clock, port } = bench();
    const { signal } = new AbortController();
    const pending = port.requests.request(REQUEST, signal);
    assert.equal(getEventListeners(signal, "abort").length, 1);
    clock.runUntilIdle();
    await assert.rejects(pending, { code: "ERR_1TP_STUN_TIMEOUT" });
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
});
