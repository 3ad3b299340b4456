import assert from "node:assert/strict";
import { test } from "node:test";
import { runtime } from "#platform";
import { codeOf } from "../../../src/base/errors.ts";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { DialContext, ListenContext } from "../../../src/contract/transport.ts";
import { MemoryHub, MemoryTransport } from "../../../transports/memory/index.ts";

const dialContext: DialContext = { runtime, signal: new AbortController().signal, onPhase() {} };

function listenContext(rest: Partial<ListenContext> = {}): ListenContext {
  return { runtime, listeningInfo: [], exclusive: false, onChannel() {}, onError: assert.fail, ...rest };
}

function named(...names: string[]): Endpoint[] {
  return names.map((name) => ({ transportType: "memory", transportInfo: { name } }));
}

test("a listener is called what its transport is called", async () => {
  const transport = new MemoryTransport({ name: "kitchen", hub: new MemoryHub() });
  const listener = await transport.listen(listenContext());
  assert.deepEqual(listener.endpoints, named("kitchen"));
});

test("a listener without a name gets one that nobody guesses", async () => {
  const transport = new MemoryTransport();
  const listeners = [await transport.listen(listenContext()), await transport.listen(listenContext())];
  const [first, second] = listeners.map(({ endpoints }) => String(endpoints[0]?.transportInfo.name));
  assert.match(first!, /^[0-9a-f]{32}$/);
  assert.notEqual(first, second);
  await Promise.all(listeners.map((listener) => listener.close()));
});

test("listeningInfo goes before the transport's name, and may give several", async () => {
  const transport = new MemoryTransport({ name: "kitchen", hub: new MemoryHub() });
  const listener = await transport.listen(listenContext({ listeningInfo: named("hall", "", "cellar") }));
  assert.deepEqual(listener.endpoints, named("hall", "cellar"));
});

test("a name in use gives way to a random one, exclusive fails and holds nothing", async () => {
  const hub = new MemoryHub();
  const transport = new MemoryTransport({ name: "kitchen", hub });
  await transport.listen(listenContext());
  const other = await transport.listen(listenContext());
  assert.notDeepEqual(other.endpoints, named("kitchen"));
  const listeningInfo = named("hall", "kitchen");
  await assert.rejects(
    transport.listen(listenContext({ listeningInfo, exclusive: true })),
    (error) => codeOf(error) === "EADDRINUSE",
  );
  assert.equal(hub.has("hall"), false);
});

test("closing twice does not take the name from whoever has it next", async () => {
  const transport = new MemoryTransport({ name: "kitchen", hub: new MemoryHub() });
  const first = await transport.listen(listenContext());
  await first.close();
  const second = await transport.listen(listenContext({ exclusive: true }));
  await first.close();
  await transport.dial(second.endpoints[0]!, dialContext);
});

test("hubs are worlds apart", async () => {
  const here = new MemoryTransport({ name: "kitchen", hub: new MemoryHub() });
  const there = new MemoryTransport({ hub: new MemoryHub() });
  const { endpoints } = await here.listen(listenContext());
  await assert.rejects(there.dial(endpoints[0]!, dialContext), (error) => codeOf(error) === "ECONNREFUSED");
});

test("a write is refused from the high-water mark on", async () => {
  const transport = new MemoryTransport({ hub: new MemoryHub(), highWaterMark: 10 });
  const { endpoints } = await transport.listen(listenContext());
  const channel = await transport.dial(endpoints[0]!, dialContext);
  assert.equal(channel.write(new Uint8Array(9)), true);
  assert.equal(channel.write(new Uint8Array(1)), false);
});

test("a chunk that is used again after it was written arrives as it was", async () => {
  const transport = new MemoryTransport({ hub: new MemoryHub() });
  const chunk = Uint8Array.of(1, 2, 3);
  const arrived = await new Promise<Uint8Array>((resolve) => {
    const onChannel = (channel: Channel): void =>
      channel.attach({ onData: resolve, onDrain() {}, onEnd() {}, onClose() {} });
    transport
      .listen(listenContext({ onChannel }))
      .then(({ endpoints }) => transport.dial(endpoints[0]!, dialContext))
      .then((channel) => {
        channel.write(chunk);
        chunk.fill(0);
      });
  });
  assert.deepEqual(arrived, Uint8Array.of(1, 2, 3));
});

test("a whole conversation needs no turn of the event loop", async () => {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  const transport = new MemoryTransport({ hub: new MemoryHub() });
  const { endpoints } = await transport.listen(
    listenContext({
      onChannel: (channel) =>
        channel.attach({
          onData: (chunk) => void channel.write(chunk),
          onDrain() {},
          onEnd: () => channel.end(),
          onClose() {},
        }),
    }),
  );
  const channel = await transport.dial(endpoints[0]!, dialContext);
  await new Promise<void>((resolve) => {
    channel.attach({ onData: () => channel.end(), onDrain() {}, onEnd() {}, onClose: () => resolve() });
    channel.write(new Uint8Array(1));
  });
  assert.equal(turned, false);
});

test("wrong options throw at once", () => {
  for (const [options, code] of [
    [{ name: 7 }, "ERR_INVALID_ARG_TYPE"],
    [{ name: "" }, "ERR_INVALID_ARG_VALUE"],
    [{ name: "x".repeat(256) }, "ERR_INVALID_ARG_VALUE"],
    [{ hub: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ highWaterMark: 0 }, "ERR_OUT_OF_RANGE"],
    [{ highWaterMark: "1" }, "ERR_INVALID_ARG_TYPE"],
    [{ cost: "cheap" }, "ERR_INVALID_ARG_TYPE"],
  ] as const) {
    assert.throws(
      () => new MemoryTransport(options as never),
      (error) => codeOf(error) === code,
    );
  }
});
