import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import type { LinkOptions } from "../../kit/link.ts";
import { UdpRelay } from "../../kit/udp-relay.ts";

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function socket(): Promise<Socket> {
  const bound = createSocket("udp4");
  bound.bind(0, "127.0.0.1");
  await once(bound, "listening");
  closers.push(() => bound.close());
  return bound;
}

/** A socket that answers everything in capitals, behind a relay. */
async function echo(link: LinkOptions): Promise<UdpRelay> {
  const server = await socket();
  server.on("message", (data, { port }) => server.send(`${data}`.toUpperCase(), port, "127.0.0.1"));
  const relay = await UdpRelay.open(server.address().port, link);
  closers.push(() => relay.close());
  return relay;
}

test("a relay takes each client's datagrams there and the answers back to that client", async () => {
  const relay = await echo({ latency: 1 });
  const clients = await Promise.all(
    ["one", "two", "three"].map(async (text) => ({ text, from: await socket() })),
  );
  const answers = clients.map(async ({ text, from }) => {
    from.send(text, relay.port, "127.0.0.1");
    const [data] = await once(from, "message");
    assert.equal(`${data}`, text.toUpperCase());
  });
  await Promise.all(answers);
  assert.equal(relay.up.counters.delivered, 3);
});

test("a relay delays both ways", async () => {
  const relay = await echo({ latency: 30 });
  const client = await socket();
  const start = performance.now();
  client.send("x", relay.port, "127.0.0.1");
  await once(client, "message");
  assert.ok(performance.now() - start >= 59);
});

test("a relay loses what its link loses", async () => {
  const relay = await echo({ loss: 0.5 });
  const client = await socket();
  let answers = 0;
  client.on("message", () => answers++);
  for (let i = 0; i < 200; i++) client.send("x", relay.port, "127.0.0.1");
  while (relay.up.counters.sent < 200) await new Promise(setImmediate);
  const { delivered, dropped } = relay.up.counters;
  assert.equal(delivered + dropped.loss, 200);
  assert.ok(dropped.loss > 50 && dropped.loss < 150);
  while (answers < relay.down.counters.delivered) await new Promise(setImmediate);
});
