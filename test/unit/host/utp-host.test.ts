import assert from "node:assert/strict";
import test from "node:test";
import { runtime } from "#platform";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { UtpHost } from "../../../src/host/utp-host.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { DATA, decodePacket, FIN, Packet, RESET, STATE, SYN } from "../../../src/utp/packet.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { encode } from "../utp/scripted-peer.ts";
import { RecordedSocket } from "./recorded-socket.ts";

const PEER = { address: "10.0.0.2", port: 1002 };

/** A host on a recorded socket in virtual time, whose turns the test takes. */
function bench() {
  const clock = new VirtualClock();
  const turns: (() => void)[] = [];
  const simulated: Runtime = { ...simulatedRuntime(clock), afterInput: (task) => void turns.push(task) };
  const socket = new RecordedSocket();
  const host = new UtpHost(socket, simulated);
  const turn = () => {
    for (const task of turns.splice(0)) task();
  };
  const sent = () => {
    while (turns.length > 0) turn();
    return socket.sent.splice(0).map(({ data }) => {
      const packet = new Packet();
      assert.equal(decodePacket(data, packet), undefined);
      return packet;
    });
  };
  const deliver = (packet: Parameters<typeof encode>[0]) => socket.sink!.onDatagram(encode(packet), PEER);
  const connect = (): { connection: UtpConnection; heard: string[]; id: number; seq: number } => {
    const heard: string[] = [];
    const connection = host.connect(PEER);
    connection.sink = {
      onConnected: () => heard.push("connected"),
      onReadable: () => heard.push("readable"),
      onDrain: () => heard.push("drain"),
      onEnd: () => heard.push("end"),
      onFinished: () => heard.push("finished"),
      onClosed: (error) => heard.push(`closed ${(error as { code?: string })?.code}`),
    };
    const [syn] = sent();
    deliver({ type: STATE, id: syn!.connectionId, seq: 50, ack: syn!.seq, window: 100_000 });
    sent();
    return { connection, heard, id: syn!.connectionId, seq: syn!.seq + 1 };
  };
  return { clock, turns, socket, host, turn, sent, deliver, connect };
}

test("a burst of datagrams makes one turn, one delivery and one acknowledgement", () => {
  const { turns, sent, deliver, connect } = bench();
  const { heard, id, seq, connection } = connect();
  for (let i = 0; i < 30; i++) {
    deliver({ type: DATA, id, seq: 50 + i, ack: seq - 1, window: 100_000, payload: "x" });
  }
  assert.equal(turns.length, 1);
  const acks = sent();
  assert.deepEqual([acks.length, acks[0]!.ack], [1, 79]);
  assert.deepEqual(heard, ["connected", "readable"]);
  assert.equal(connection.read()!.length, 30);
});

test("what a sink writes leaves in the same turn and carries the acknowledgement", () => {
  const { sent, deliver, connect } = bench();
  const { id, seq, connection } = connect();
  connection.sink!.onReadable = () => connection.write(connection.read()!);
  deliver({ type: DATA, id, seq: 50, ack: seq - 1, window: 100_000, payload: "echo" });
  const [answer, ...more] = sent();
  assert.deepEqual([answer!.type, answer!.ack, more.length], [DATA, 50, 0]);
});

test("what is answered a little later carries the acknowledgement, too", () => {
  const { turns, sent, deliver, connect } = bench();
  const { id, seq, connection } = connect();
  connection.sink!.onEnd = () => turns.push(() => connection.end());
  deliver({ type: FIN, id, seq: 50, ack: seq - 1, window: 100_000 });
  const [answer, ...more] = sent();
  assert.deepEqual([answer!.type, answer!.ack, more.length], [FIN, 50, 0]);
});

test("a datagram that the system queues keeps its buffer, and nothing follows until the queue is empty", () => {
  const { socket, sent, connect, turn } = bench();
  const { connection } = connect();
  socket.result = "queued";
  connection.write(new Uint8Array(5000).fill(7));
  turn();
  assert.equal(socket.sent.length, 1);
  const queued = socket.buffers.at(-1)!;
  const before = queued.slice();
  socket.result = "sent";
  turn();
  assert.equal(socket.sent.length, 1);
  socket.sink!.onDrain!();
  assert.ok(sent().length >= 4);
  assert.deepEqual(queued, before);
});

test("scratch buffers are used again as long as the system does not queue", () => {
  const { socket, connect, turn } = bench();
  const { connection } = connect();
  connection.write(new Uint8Array(5000));
  turn();
  const [first, second] = socket.buffers.slice(-2);
  assert.equal(first!.buffer, second!.buffer);
});

test("a sink that throws holds up nobody else", () => {
  const { turns, turn, deliver, connect } = bench();
  const one = connect();
  const two = connect();
  one.connection.sink!.onReadable = () => {
    throw new Error("a bug of the user's");
  };
  for (const { id, seq } of [one, two]) {
    deliver({ type: DATA, id, seq: 50, ack: seq - 1, window: 9000, payload: "x" });
  }
  assert.throws(turn, /a bug of the user's/);
  assert.equal(turns.length, 1);
  turn();
  assert.deepEqual(two.heard, ["connected", "readable"]);
});

test("an accepted connection is given to the listener before its data is told", () => {
  const { host, deliver, sent } = bench();
  const heard: string[] = [];
  host.listen((connection) => {
    heard.push("accepted");
    connection.sink = { onReadable: () => heard.push("readable"), onDrain() {}, onEnd() {}, onClosed() {} };
  });
  deliver({ type: SYN, id: 7, seq: 1, window: 9000 });
  const [answer] = sent();
  deliver({ type: DATA, id: 8, seq: 2, ack: answer!.seq - 1, window: 9000, payload: "x" });
  sent();
  assert.deepEqual(heard, ["accepted", "readable"]);
});

test("a refusal from the system ends dials to that address with its code, and counts", () => {
  const { host, socket, turn, connect } = bench();
  const established = connect();
  const codes: unknown[] = [];
  const dial = (port: number) => {
    const connection = host.connect({ address: PEER.address, port });
    connection.sink = {
      onReadable() {},
      onDrain() {},
      onEnd() {},
      onClosed: (error) => codes.push([port, (error as { code?: string }).code]),
    };
  };
  dial(PEER.port);
  dial(9);
  turn();
  socket.sink!.onSendError!("ECONNREFUSED", PEER);
  turn();
  assert.deepEqual(codes, [[PEER.port, "ECONNREFUSED"]]);
  assert.equal(established.connection.state, "connected");
  assert.equal(host.sendErrors.get("ECONNREFUSED"), 1);
});

test("one timer serves all connections, and none is armed when there is nothing to wait for", () => {
  const { clock, host, sent } = bench();
  assert.equal(clock.armed, 0);
  for (let i = 0; i < 50; i++) host.connect(PEER);
  assert.equal(sent().length, 50);
  assert.equal(clock.armed, 1);
  host.close();
  assert.equal(clock.armed, 0);
});

test("close resets the peers, tells the sinks ECONNABORTED and closes the socket", () => {
  const { host, socket, sent, connect } = bench();
  const { heard } = connect();
  host.close();
  host.close();
  const packets = sent();
  assert.deepEqual([packets.length, packets[0]!.type], [1, RESET]);
  assert.deepEqual([heard, socket.closed], [["connected", "closed ECONNABORTED"], true]);
});

test("a socket that the system takes away closes every connection with its error", () => {
  const { socket, turn, connect } = bench();
  const { heard } = connect();
  socket.sink!.onClose!(Object.assign(new Error("gone"), { code: "ENETDOWN" }));
  turn();
  assert.deepEqual(heard, ["connected", "closed ENETDOWN"]);
});

test("what was written keeps the process alive after the connection was left, until it is acknowledged", () => {
  const { host, socket, deliver, sent, turn, connect } = bench();
  const { connection, id, seq } = connect();
  host.unref();
  assert.equal(socket.referenced, false);
  connection.write(Buffer.from("last words"));
  host.leave(connection);
  assert.equal(socket.referenced, true);
  assert.equal(sent().length, 2);
  deliver({ type: STATE, id, seq: 50, ack: seq + 1, window: 9000 });
  turn();
  assert.equal(socket.referenced, false);
});

test("what nobody acknowledges keeps the process alive for five seconds at most", () => {
  const { host, clock, socket, turn, connect } = bench();
  const { connection } = connect();
  host.unref();
  connection.write(Buffer.from("last words"));
  host.leave(connection);
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      turn();
      clock.advance(50);
    }
    turn();
  };
  pass(4900);
  assert.equal(socket.referenced, true);
  pass(200);
  assert.equal(socket.referenced, false);
});

test("an answer that waits in the socket while the process is busy is in time", () => {
  const { host, clock, sent, deliver, turn } = bench();
  const closed: (Error | undefined)[] = [];
  const connection = host.connect(PEER, { connectTimeout: 1000 });
  connection.sink = { onReadable() {}, onDrain() {}, onEnd() {}, onClosed: (error) => closed.push(error) };
  const [syn] = sent();
  // All that is due fires before the socket is read.
  clock.advance(30_000);
  deliver({ type: STATE, id: syn!.connectionId, seq: 50, ack: syn!.seq, window: 100_000 });
  turn();
  assert.deepEqual([connection.state, closed], ["connected", []]);
});

test("over real sockets a megabyte goes both ways", async () => {
  const bindDatagram = runtime.bindDatagram!;
  const sockets = await Promise.all(
    [0, 1].map(() => bindDatagram({ address: "127.0.0.1", bufferSize: 1 << 20 })),
  );
  const [server, client] = sockets.map((socket) => new UtpHost(socket, runtime)) as [UtpHost, UtpHost];
  const size = 1 << 20;
  server.listen((connection) => {
    connection.sink = {
      onReadable() {
        for (let data = connection.read(); data; data = connection.read()) connection.write(data);
      },
      onDrain() {},
      onEnd: () => connection.end(),
      onClosed() {},
    };
  });
  const received = await new Promise<number>((resolve, reject) => {
    const connection = client.connect(server.socket.local);
    let bytes = 0;
    connection.write(new Uint8Array(size));
    connection.end();
    connection.sink = {
      onReadable() {
        for (let data = connection.read(); data; data = connection.read()) bytes += data.length;
      },
      onDrain() {},
      onEnd() {},
      onClosed: (error) => (error ? reject(error) : resolve(bytes)),
    };
  });
  assert.equal(received, size);
  server.close();
  client.close();
});
