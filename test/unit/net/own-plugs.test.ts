import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { net, type Transport, transports } from "1tp";

const memory = new transports.memory();

/** The memory transport with something of it replaced, as a user's own transport might get it wrong. */
const broken = (part: object): Transport =>
  ({
    type: "memory",
    traits: memory.traits,
    connectTimeout: 1000,
    accepts: () => true,
    dial: memory.dial.bind(memory),
    listen: memory.listen.bind(memory),
    ...part,
  }) as Transport;

const plain = { security: "none" } as const;
const entry = { transportType: "memory", transportInfo: { name: "nobody" } };

test("a dial that resolves with no channel fails with ERR_INVALID_RETURN_VALUE", async () => {
  for (const result of [undefined, null, {}, "channel"]) {
    const socket = net.createConnection(entry, [broken({ dial: async () => result })], plain);
    const [error] = await once(socket, "error");
    assert.equal(error.code, "ERR_INVALID_RETURN_VALUE");
  }
});

test("a listen that resolves with no listener fails with ERR_INVALID_RETURN_VALUE", async () => {
  for (const result of [undefined, {}, { endpoints: [] }, { close() {} }]) {
    const server = net.createServer([broken({ listen: async () => result })]);
    await assert.rejects(server.listenP(), { code: "ERR_INVALID_RETURN_VALUE" });
  }
});

test("a transport without a connectTimeout is refused at once", () => {
  const without = broken({ connectTimeout: undefined });
  assert.throws(() => new net.Socket([without]), { code: "ERR_INVALID_ARG_TYPE" });
});

/** A signal, and how many listeners it has. */
function countingSignal(): { readonly signal: AbortSignal; listeners(): number } {
  const { signal } = new AbortController();
  const heard = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...call: Parameters<typeof addEventListener>) => {
    heard.add(call[1]);
    addEventListener.apply(signal, call);
  };
  signal.removeEventListener = (...call: Parameters<typeof removeEventListener>) => {
    heard.delete(call[1]);
    removeEventListener.apply(signal, call);
  };
  return { signal, listeners: () => heard.size };
}

test("a server leaves no listener on its signal when it is closed, or cannot listen", async () => {
  const { signal, listeners } = countingSignal();
  for (let i = 0; i < 3; i++) {
    const server = net.createServer([memory], { signal });
    await server.listenP();
    assert.equal(listeners(), 1);
    await server.closeP();
    assert.equal(listeners(), 0);
  }
  const unlucky = net.createServer([broken({ listen: () => Promise.reject(new Error("no port")) })], {
    signal,
  });
  for (let i = 0; i < 3; i++) await assert.rejects(unlucky.listenP(), /no port/);
  assert.deepEqual([listeners(), unlucky.listenerCount("close")], [0, 0]);
});

test("what was set on a socket reaches its channel, before and after it connects", async () => {
  const server = net.createServer([memory], plain, (socket) => socket.resume());
  const info = await server.listenP();
  const heard: unknown[] = [];
  const watched = broken({
    dial: async (...call: Parameters<Transport["dial"]>) => {
      const channel = await memory.dial(...call);
      channel.set = (option, value) => void heard.push([option, value]);
      return channel;
    },
  });
  const socket = new net.Socket([watched], { ...plain, noDelay: true }).set("congestion", "ledbat");
  await socket.connectP(info);
  socket.set("congestion", "bbr");
  assert.deepEqual(heard, [
    ["noDelay", true],
    ["congestion", "ledbat"],
    ["congestion", "bbr"],
  ]);
  heard.length = 0;
  for (const delay of [5000, "5000", 0, -1, Number.NaN, Infinity, {}, null]) {
    socket.setKeepAlive(true, delay as number);
  }
  socket.setKeepAlive(null as unknown as boolean, 5000).setKeepAlive();
  const delays = [5000, 5000, 0, 0, 0, 0, 0, 0, false, false];
  assert.deepEqual(
    heard,
    delays.map((delay) => ["keepAlive", delay]),
  );
  assert.throws(() => socket.set("keepAlive", Number.NaN), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => socket.set("keepAlive", "x" as unknown as number), { code: "ERR_INVALID_ARG_TYPE" });
  socket.destroy();
  await server.closeP();
});
