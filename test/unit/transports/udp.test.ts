import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { runtime } from "#platform";
import { codeOf } from "../../../src/base/errors.ts";
import { ownAddresses } from "../../../src/base/listening.ts";
import { withoutZone } from "../../../src/base/socket-address.ts";
import type { Channel } from "../../../src/contract/channel.ts";
import type { BindOptions, DatagramSocket } from "../../../src/contract/datagram-socket.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { NetworkInterface, Runtime } from "../../../src/contract/runtime.ts";
import type { DialContext, ListenContext, Listener } from "../../../src/contract/transport.ts";
import { UdpTransport } from "../../../transports/udp/index.ts";

const dialContext: DialContext = { runtime, signal: new AbortController().signal, onPhase() {} };

function listenContext(infos: readonly object[] = [], rest: Partial<ListenContext> = {}): ListenContext {
  return {
    runtime,
    listeningInfo: infos.map((info) => ({ transportType: "udp", transportInfo: info }) as Endpoint),
    exclusive: false,
    onChannel: (channel) => channel.abort(),
    onError: assert.fail,
    ...rest,
  };
}

function endpoint(address: string, port: unknown): Endpoint {
  return { transportType: "udp", transportInfo: { address, port: Number(port) } };
}

function addresses({ endpoints }: Listener): unknown[] {
  return endpoints.map(({ transportInfo }) => transportInfo.address);
}

function ports({ endpoints }: Listener): unknown[] {
  return [...new Set(endpoints.map(({ transportInfo }) => transportInfo.port))];
}

/** Everything a channel brings, once it has closed. */
function drained(channel: Channel): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    channel.attach({
      onData(chunk) {
        text += Buffer.from(chunk).toString();
      },
      onDrain() {},
      onEnd: () => channel.end(),
      onClose: (error) => (error ? reject(error) : resolve(text)),
    });
  });
}

/** The platform's runtime, with the options of every socket that is bound. */
function watched(): { runtime: Runtime; binds: BindOptions[]; sockets: DatagramSocket[] } {
  const binds: BindOptions[] = [];
  const sockets: DatagramSocket[] = [];
  const bindDatagram = async (options: BindOptions) => {
    const socket = await runtime.bindDatagram!(options);
    binds.push(options);
    sockets.push(socket);
    return socket;
  };
  return { runtime: { ...runtime, bindDatagram }, binds, sockets };
}

test("every own address is announced, with one port", async () => {
  const listener = await new UdpTransport().listen(listenContext());
  assert.deepEqual(addresses(listener), ownAddresses(runtime.interfaces()).map(withoutZone));
  assert.equal(ports(listener).length, 1);
  await listener.close();
});

test("one socket per address is bound, none to a wildcard", async () => {
  const { runtime: own, binds } = watched();
  const listener = await new UdpTransport().listen(listenContext([], { runtime: own }));
  assert.equal(binds.length, listener.endpoints.length);
  assert.ok(binds.every(({ address }) => address !== "0.0.0.0" && address !== "::"));
  await listener.close();
});

test("loopback is announced where nothing else exists", async () => {
  const loopback: NetworkInterface[] = runtime.interfaces().filter(({ internal }) => internal);
  const listener = await new UdpTransport().listen(
    listenContext([], { runtime: { ...runtime, interfaces: () => loopback } }),
  );
  assert.deepEqual(
    addresses(listener),
    loopback.map(({ address }) => address),
  );
  await listener.close();
});

test("a port in use gives way to a free one, unless it was demanded", async () => {
  const taken = createSocket("udp4").bind(0, "127.0.0.1");
  await once(taken, "listening");
  const info = { address: "127.0.0.1", port: taken.address().port };
  const listener = await new UdpTransport().listen(listenContext([info]));
  assert.deepEqual(addresses(listener), ["127.0.0.1"]);
  assert.notDeepEqual(ports(listener), [info.port]);
  await listener.close();
  const demanded = new UdpTransport().listen(listenContext([info], { exclusive: true }));
  await assert.rejects(demanded, (error) => codeOf(error) === "EADDRINUSE");
  taken.close();
});

test("an address that is not ours stands for all own ones, its port kept", async () => {
  const free = createSocket("udp4").bind(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address();
  free.close();
  await once(free, "close");
  const listener = await new UdpTransport().listen(listenContext([{ address: "198.51.100.1", port }]));
  assert.deepEqual(addresses(listener), ownAddresses(runtime.interfaces()).map(withoutZone));
  assert.deepEqual(ports(listener), [port]);
  await listener.close();
});

test("a dial of an instance that listens leaves from the listening port", async () => {
  const transport = new UdpTransport();
  const accepted: Channel[] = [];
  const far = await new UdpTransport().listen(
    listenContext([{ address: "127.0.0.1" }], { onChannel: (channel) => accepted.push(channel) }),
  );
  const near = await transport.listen(listenContext([{ address: "127.0.0.1" }]));
  const channel = await transport.dial(far.endpoints[0]!, dialContext);
  const text = drained(channel);
  channel.write(Buffer.from("x"));
  channel.end();
  await new Promise(setImmediate);
  while (accepted.length === 0) await new Promise(setImmediate);
  assert.deepEqual(accepted[0]!.remote, near.endpoints[0]);
  assert.equal(await drained(accepted[0]!), "x");
  await text;
  await Promise.all([near.close(), far.close()]);
});

test("a dial of its own uses a connected socket, which is closed after the channel", async () => {
  const listener = await new UdpTransport().listen(
    listenContext([{ address: "127.0.0.1" }], { onChannel: (channel) => void drained(channel) }),
  );
  const { runtime: own, binds, sockets } = watched();
  const channel = await new UdpTransport().dial(listener.endpoints[0]!, { ...dialContext, runtime: own });
  assert.deepEqual(
    binds.map(({ connect }) => connect?.port),
    ports(listener),
  );
  const text = drained(channel);
  channel.end();
  await text;
  while (sockets[0]!.send(new Uint8Array(1), { address: "127.0.0.1", port: 9 }) !== "EBADF") {
    await new Promise(setImmediate);
  }
  await listener.close();
});

test("who dials again at once finds the port open", async () => {
  const listener = await new UdpTransport().listen(
    listenContext([{ address: "127.0.0.1" }], { onChannel: (channel) => void drained(channel) }),
  );
  const { runtime: own, binds } = watched();
  const transport = new UdpTransport();
  for (let i = 0; i < 3; i++) {
    const channel = await transport.dial(listener.endpoints[0]!, { ...dialContext, runtime: own });
    const text = drained(channel);
    channel.end();
    await text;
  }
  assert.equal(binds.length, 1);
  await listener.close();
});

test("a dial to a port where nobody is fails at once and holds nothing", async () => {
  const probe = createSocket("udp4").bind(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  const start = performance.now();
  const dial = new UdpTransport().dial(endpoint("127.0.0.1", port), dialContext);
  await assert.rejects(dial, (error) => {
    assert.equal(codeOf(error), "ECONNREFUSED");
    assert.equal((error as { port?: number }).port, port);
    return true;
  });
  assert.ok(performance.now() - start < 4000);
});

test("a first flight arrives once, before anything else, and need not be written again", async () => {
  const texts: Promise<string>[] = [];
  const listener = await new UdpTransport().listen(
    listenContext([{ address: "127.0.0.1" }], { onChannel: (channel) => texts.push(drained(channel)) }),
  );
  let calls = 0;
  const firstFlight = () => {
    calls++;
    return Buffer.from("hello, ");
  };
  const channel = await new UdpTransport().dial(listener.endpoints[0]!, { ...dialContext, firstFlight });
  assert.deepEqual([channel.firstFlightSent, calls], [true, 1]);
  const closed = drained(channel);
  channel.write(Buffer.from("world"));
  channel.end();
  await closed;
  assert.deepEqual(await Promise.all(texts), ["hello, world"]);
  await listener.close();
});

test("a channel copies what it is given, so that the writer may use it again", async () => {
  const texts: Promise<string>[] = [];
  const listener = await new UdpTransport().listen(
    listenContext([{ address: "127.0.0.1" }], { onChannel: (channel) => texts.push(drained(channel)) }),
  );
  const channel = await new UdpTransport().dial(listener.endpoints[0]!, dialContext);
  const closed = drained(channel);
  const chunk = Buffer.from("once");
  channel.write(chunk);
  chunk.fill("x");
  channel.end();
  await closed;
  assert.deepEqual(await Promise.all(texts), ["once"]);
  await listener.close();
});

test("without UDP a dial and a listen reject with ERR_1TP_UNSUPPORTED", async () => {
  const { bindDatagram: _, ...without } = runtime;
  const transport = new UdpTransport();
  const unsupported = (error: unknown) => codeOf(error) === "ERR_1TP_UNSUPPORTED";
  await assert.rejects(
    transport.dial(endpoint("127.0.0.1", 9), { ...dialContext, runtime: without }),
    unsupported,
  );
  await assert.rejects(transport.listen(listenContext([], { runtime: without })), unsupported);
});

test("wrong options throw at once", () => {
  const make = (options: object) => () => new UdpTransport(options);
  assert.throws(make({ cost: "low" }), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(make({ connectTimeout: -1 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(make({ keepAlive: true }), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(make({ keepAlive: Number.NaN }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(make({ maxPayload: 0 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(make({ bufferSize: 1.5 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(make({ congestion: "fastest" }), { code: "ERR_INVALID_ARG_VALUE" });
});
