import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type NetConnectOpts, type Server } from "node:net";
import { test } from "node:test";
import { runtime } from "#platform";
import { codeOf } from "../../../src/base/errors.ts";
import { ownAddresses } from "../../../src/base/listening.ts";
import { withoutZone } from "../../../src/base/socket-address.ts";
import type { Channel, ChannelSink } from "../../../src/contract/channel.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { NetworkInterface, Runtime } from "../../../src/contract/runtime.ts";
import type { DialContext, ListenContext, Listener } from "../../../src/contract/transport.ts";
import { dialTcp } from "../../../transports/tcp/dial.ts";
import { TcpTransport, type TcpTransportOptions } from "../../../transports/tcp/index.ts";
import { listenTcp } from "../../../transports/tcp/listener.ts";

const dialContext: DialContext = { runtime, signal: new AbortController().signal, onPhase() {} };

function listenContext(infos: readonly object[] = [], rest: Partial<ListenContext> = {}): ListenContext {
  return {
    runtime,
    listeningInfo: infos.map((info) => ({ transportType: "tcp", transportInfo: info }) as Endpoint),
    exclusive: false,
    onChannel: (channel) => channel.abort(),
    onError: assert.fail,
    ...rest,
  };
}

/** Listens, lets `body` look, closes. */
async function listening(
  context: ListenContext,
  body: (listener: Listener) => unknown,
  options: TcpTransportOptions = {},
): Promise<void> {
  const listener = await new TcpTransport(options).listen(context);
  try {
    await body(listener);
  } finally {
    await listener.close();
  }
}

function addresses({ endpoints }: Listener): unknown[] {
  return endpoints.map(({ transportInfo }) => transportInfo.address);
}

function ports({ endpoints }: Listener): unknown[] {
  return [...new Set(endpoints.map(({ transportInfo }) => transportInfo.port))];
}

function endpoint(address: string, port: unknown): Endpoint {
  return { transportType: "tcp", transportInfo: { address, port: Number(port) } };
}

async function reach(address: string, port: unknown): Promise<Channel> {
  const channel = await new TcpTransport().dial(endpoint(address, port), dialContext);
  channel.abort();
  return channel;
}

function withInterfaces(...interfaces: NetworkInterface[]): Runtime {
  return { ...runtime, interfaces: () => interfaces };
}

test("without a wish all own addresses are announced with one port, and loopback answers too", () =>
  listening(listenContext(), async (listener) => {
    assert.deepEqual(addresses(listener), ownAddresses(runtime.interfaces()).map(withoutZone));
    assert.equal(ports(listener).length, 1);
    for (const { address, internal } of runtime.interfaces()) {
      if (internal) await reach(address, ports(listener)[0]);
    }
  }));

test("0.0.0.0 listens on IPv4 alone", () =>
  listening(listenContext([{ address: "0.0.0.0" }]), async (listener) => {
    assert.deepEqual(addresses(listener), ownAddresses(runtime.interfaces(), 4));
    await reach("127.0.0.1", ports(listener)[0]);
    await assert.rejects(reach("::1", ports(listener)[0]), (error) => codeOf(error) !== undefined);
  }));

test("ipv6Only listens on IPv6 alone, and fails with a code where there is none", async () => {
  const own = ownAddresses(runtime.interfaces()).filter(net.isIPv6).map(withoutZone);
  const attempt = listening(
    listenContext(),
    async (listener) => {
      assert.deepEqual(addresses(listener), own);
      await reach("::1", ports(listener)[0]);
      await assert.rejects(
        reach("127.0.0.1", ports(listener)[0]),
        (error) => codeOf(error) === "ECONNREFUSED",
      );
    },
    { ipv6Only: true },
  );
  if (own.length > 0) await attempt;
  else await assert.rejects(attempt, (error) => codeOf(error) !== undefined);
});

test("several wishes are all listened on", () =>
  listening(listenContext([{ address: "127.0.0.1" }, { address: "0.0.0.0" }]), async (listener) => {
    assert.deepEqual(addresses(listener), ["127.0.0.1", ...ownAddresses(runtime.interfaces(), 4)]);
    for (const { transportInfo } of listener.endpoints) {
      await reach(String(transportInfo.address), transportInfo.port);
    }
  }));

test("an address that is not ours gives way to all own ones, the port kept", () =>
  listening(listenContext([{ address: "127.0.0.1" }]), async (listener) => {
    const [port] = ports(listener);
    await listener.close();
    await listening(listenContext([{ address: "198.51.100.7", port }]), (other) => {
      assert.deepEqual(ports(other), [port]);
      assert.deepEqual(addresses(other), ownAddresses(runtime.interfaces()).map(withoutZone));
    });
  }));

test("an address that goes away meanwhile gives way to all own ones", () => {
  const gone = { name: "x", address: "198.51.100.7", family: "IPv4", prefix: 24, internal: false } as const;
  const views = [[gone], runtime.interfaces()];
  const interfaces = (): readonly NetworkInterface[] => views.shift() ?? [];
  const context = listenContext([{ address: gone.address }], { runtime: { ...runtime, interfaces } });
  return listening(context, async (listener) => {
    assert.deepEqual(addresses(listener), ownAddresses(runtime.interfaces()).map(withoutZone));
    await reach("127.0.0.1", ports(listener)[0]);
  });
});

test("a host that has no address to announce cannot listen", async () => {
  const context = listenContext([], { runtime: withInterfaces() });
  await assert.rejects(new TcpTransport().listen(context), (error) => codeOf(error) === "EADDRNOTAVAIL");
});

test("a port in use gives way to a free one, the address kept", () =>
  listening(listenContext([{ address: "127.0.0.1" }]), (first) =>
    listening(listenContext([{ address: "127.0.0.1", port: ports(first)[0] }]), (second) => {
      assert.deepEqual(addresses(second), ["127.0.0.1"]);
      assert.notDeepEqual(ports(second), ports(first));
    }),
  ));

test("a port that is not permitted gives way to a free one, the address kept", async () => {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    const permitted = await bindsAsIs(1);
    await listening(listenContext([{ address: "127.0.0.1", port: 1 }]), (listener) => {
      assert.deepEqual(addresses(listener), ["127.0.0.1"]);
      assert.equal(ports(listener)[0] === 1, permitted);
    });
    if (permitted) return;
    const exclusive = listenContext([{ address: "127.0.0.1", port: 1 }], { exclusive: true });
    await assert.rejects(new TcpTransport().listen(exclusive), (error) => codeOf(error) === "EACCES");
  } finally {
    if (root) process.seteuid?.(0);
  }
});

async function bindsAsIs(port: number): Promise<boolean> {
  const server = net.createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

test("exclusive fails with the system's error and keeps nothing open", async () => {
  await listening(listenContext([{ address: "127.0.0.1" }]), async (taken) => {
    const spare = await new TcpTransport().listen(listenContext([{ address: "127.0.0.1" }]));
    await spare.close();
    const wishes = [{ address: "127.0.0.1", port: ports(spare)[0] }, taken.endpoints[0]!.transportInfo];
    for (const [infos, code] of [
      [wishes, "EADDRINUSE"],
      [[{ address: "198.51.100.7" }], "EADDRNOTAVAIL"],
      [[{ address: "localhost" }], "EADDRNOTAVAIL"],
    ] as const) {
      const attempt = new TcpTransport().listen(listenContext(infos, { exclusive: true }));
      await assert.rejects(attempt, (error) => codeOf(error) === code);
    }
    await assert.rejects(reach("127.0.0.1", ports(spare)[0]), (error) => codeOf(error) === "ECONNREFUSED");
  });
});

test("an accepted IPv4 peer is IPv4 also on a socket for both families", () => {
  const accepted = new Promise<Channel>((resolve) => {
    const onChannel = (channel: Channel): void => {
      resolve(channel);
      channel.abort();
    };
    listening(listenContext([], { onChannel }), (listener) => reach("127.0.0.1", ports(listener)[0]));
  });
  return accepted.then(({ remote }) => assert.equal(remote.transportInfo.address, "127.0.0.1"));
});

test("an entry with an IPv4-mapped address is dialled as IPv4", () =>
  listening(listenContext([{ address: "127.0.0.1" }]), (listener) =>
    reach("::ffff:127.0.0.1", ports(listener)[0]),
  ));

test("a link-local address is dialled in the zones of the interfaces, and fails with a code in none", () =>
  listening(listenContext(), async (listener) => {
    const own = ownAddresses(runtime.interfaces().filter(({ address }) => address.startsWith("fe80:")));
    for (const address of own.map(withoutZone)) await reach(address, ports(listener)[0]);
    const nowhere: NetworkInterface[] = ["none0", "none1"].map((name) => ({
      name,
      address: "fe80::1",
      family: "IPv6",
      prefix: 64,
      internal: false,
    }));
    const context = { ...dialContext, runtime: withInterfaces(...nowhere) };
    const dial = new TcpTransport().dial(endpoint("fe80::1", 9), context);
    await assert.rejects(dial, (error) => codeOf(error) !== undefined);
  }));

test("an aborted dial in several zones rejects with the reason", async () => {
  const zones = ["none0", ...runtime.interfaces().flatMap(({ name, internal }) => (internal ? [name] : []))];
  const interfaces = zones.map((name) => ({
    name,
    address: "fe80::1",
    family: "IPv6",
    prefix: 64,
    internal: false,
  }));
  const controller = new AbortController();
  const dial = new TcpTransport().dial(endpoint("fe80::dead:beef", 9), {
    ...dialContext,
    runtime: withInterfaces(...(interfaces as NetworkInterface[])),
    signal: controller.signal,
  });
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(dial, (error) => error === reason);
});

const SOCKET_OPTIONS = { noDelay: true, keepAlive: false, keepAliveInitialDelay: 0 };

test("a dial that meets itself is refused", async () => {
  const listener = await new TcpTransport().listen(listenContext([{ address: "127.0.0.1" }]));
  const port = Number(ports(listener)[0]);
  await listener.close();
  const fromThatPort = {
    connect: (options: NetConnectOpts) =>
      net.connect({ ...options, localAddress: "127.0.0.1", localPort: port } as NetConnectOpts),
  } as typeof net;
  await assert.rejects(
    dialTcp(fromThatPort, SOCKET_OPTIONS, endpoint("127.0.0.1", port), dialContext),
    (error) => codeOf(error) === "ECONNREFUSED",
  );
});

/** A listener together with the `net` server below it. */
async function opened(context: ListenContext): Promise<{ listener: Listener; server: Server }> {
  let server: Server | undefined;
  const spy = {
    createServer(options: net.ServerOpts) {
      server = net.createServer(options);
      return server;
    },
  } as typeof net;
  const options = { ...SOCKET_OPTIONS, backlog: undefined, ipv6Only: false };
  return { listener: await listenTcp(spy, options, context), server: server! };
}

test("a connection that could not be accepted does not end the listener", async () => {
  const logged: unknown[] = [];
  const log = (...values: unknown[]): void => void logged.push(...values);
  const context = listenContext([{ address: "127.0.0.1" }], { runtime: { ...runtime, log } });
  const { listener, server } = await opened(context);
  server.emit("error", new Error("accept EMFILE"));
  await reach("127.0.0.1", ports(listener)[0]);
  assert.equal(logged.at(-1), "accept EMFILE");
  await listener.close();
});

test("a connection that is gone when it is accepted is dropped", async () => {
  const { listener, server } = await opened(
    listenContext([{ address: "127.0.0.1" }], { onChannel: () => assert.fail("nobody is there") }),
  );
  const socket = new net.Socket();
  server.emit("connection", socket);
  assert.equal(socket.destroyed, true);
  await listener.close();
});

test("raw bytes are exchanged with whatever speaks TCP", async () => {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const channel = await new TcpTransport({ noDelay: false, keepAlive: true }).dial(
    endpoint("127.0.0.1", port),
    dialContext,
  );
  const text = await new Promise<string>((resolve) => {
    const sink: ChannelSink = {
      onData: (chunk) => {
        resolve(Buffer.from(chunk).toString());
        channel.end();
      },
      onDrain() {},
      onEnd() {},
      onClose: () => server.close(),
    };
    channel.attach(sink);
    channel.write(Buffer.from("hello"));
  });
  assert.equal(text, "hello");
});

test("wrong options throw at once", () => {
  for (const [options, code] of [
    [null, "ERR_INVALID_ARG_TYPE"],
    [{ cost: "10" }, "ERR_INVALID_ARG_TYPE"],
    [{ connectTimeout: -1 }, "ERR_OUT_OF_RANGE"],
    [{ noDelay: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ keepAlive: "yes" }, "ERR_INVALID_ARG_TYPE"],
    [{ keepAlive: -1 }, "ERR_OUT_OF_RANGE"],
    [{ backlog: 0 }, "ERR_OUT_OF_RANGE"],
    [{ backlog: "1" }, "ERR_INVALID_ARG_TYPE"],
    [{ ipv6Only: "yes" }, "ERR_INVALID_ARG_TYPE"],
  ] as const) {
    assert.throws(
      () => new TcpTransport(options as never),
      (error) => codeOf(error) === code,
    );
  }
});
