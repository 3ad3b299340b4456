import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RegistrarLimits } from "../../../signaling/registrar/limits.ts";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import {
  dialogOf,
  encodeRelayed,
  KIND,
  MAX_RELAYED,
  messageOf,
  RELAY_WINDOW,
  wordOf,
} from "../../../signaling/registrar/relay-frame.ts";
import { RegistrarBench, type ScriptedClient } from "./registrar-bench.ts";

/** What a message costs beside its bytes. */
const COST = 64;

interface Pair {
  readonly near: RelayClient;
  readonly far: RelayClient;
}

/** A client with one dialog. */
class RelayClient {
  readonly client: ScriptedClient;
  readonly dialog: number;

  constructor(client: ScriptedClient, dialog: number) {
    this.client = client;
    this.dialog = dialog;
  }

  async ask(): Promise<void> {
    await this.client.say({ type: "relay", dialog: this.dialog });
  }

  async send(message: Uint8Array | string, kind: number = KIND.data): Promise<void> {
    await this.client.sendBytes(encodeRelayed(this.dialog, kind, message));
  }

  /** What the next frame says: `data 3`, `word end`, `reset lost`. */
  read(): string | undefined {
    const frame = this.client.take();
    if (!frame) return undefined;
    assert.equal(dialogOf(frame), this.dialog);
    const name = Object.keys(KIND)[frame[4]!]!;
    return frame[4] === KIND.data ? `data ${messageOf(frame).length}` : `${name} ${wordOf(frame)}`.trimEnd();
  }

  /** Everything there is. */
  readAll(): string[] {
    const all: string[] = [];
    for (let said = this.read(); said !== undefined; said = this.read()) all.push(said);
    return all;
  }
}

function relaying(limits: Partial<RegistrarLimits> = {}): RegistrarBench {
  return new RegistrarBench({ relay: true, limits });
}

async function dialog(bench = relaying(), other = bench, number = 1): Promise<Pair> {
  const [server, client] = [await bench.greet("192.0.2.1"), await other.greet("192.0.2.2")];
  const uid = await server.register();
  await client.say({ type: "open", dialog: number, uid, transportType: "test" });
  client.expect("opened");
  return {
    near: new RelayClient(client, number),
    far: new RelayClient(server, server.expect("incoming").dialog),
  };
}

/** A channel both sides have asked for. */
async function channel(bench = relaying(), other = bench, number = 1): Promise<Pair> {
  const pair = await dialog(bench, other, number);
  await pair.near.ask();
  await pair.far.ask();
  for (const { client, dialog } of [pair.near, pair.far]) assert.equal(client.expect("relay").dialog, dialog);
  return pair;
}

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);

describe("a registrar that relays", () => {
  test("says so, and one that does not ends nothing over it but the connection that sends bytes", async () => {
    assert.equal((await relaying().hello()).relay, true);
    const bench = new RegistrarBench();
    assert.equal((await bench.hello()).relay, undefined);
    const { near, far } = await dialog(bench);
    await near.ask();
    assert.deepEqual(near.client.heard, []);
    await near.send(bytes(1));
    assert.equal(near.client.cut?.status, 1002);
    assert.equal(far.client.cut, undefined);
  });

  for (const late of ["opener", "other side"]) {
    test(`joins both when the ${late} asks last, also after the dialog`, async () => {
      const { near, far } = await dialog();
      const [first, second] = late === "opener" ? [far, near] : [near, far];
      await first.ask();
      assert.deepEqual(first.client.heard, []);
      await first.client.say({ type: "close", dialog: first.dialog });
      second.client.expect("close");
      await second.ask();
      first.client.expect("relay");
      second.client.expect("relay");
      await first.send(bytes(3));
      await second.send(bytes(4));
      assert.deepEqual([first.readAll(), second.readAll()], [["data 4"], ["data 3"]]);
    });
  }

  test("passes on bytes and words in order, both ways, and a close last", async () => {
    const { near, far } = await channel();
    await near.send(bytes(5));
    await near.send("end", KIND.word);
    await near.send("", KIND.close);
    await near.send(bytes(1));
    assert.deepEqual(far.readAll(), ["data 5", "word end", "close"]);
    await far.send(bytes(5));
    assert.deepEqual(near.readAll(), []);
  });

  test("counts what is under way, and ends the channel of who sends more than is granted", async () => {
    const { near, far } = await channel();
    const most = RELAY_WINDOW / (MAX_RELAYED + COST);
    for (let i = 1; i < most; i++) await near.send(bytes(MAX_RELAYED));
    assert.equal(far.readAll().length, Math.floor(most));
    await far.send(`grant ${MAX_RELAYED + COST}`, KIND.word);
    assert.deepEqual(near.readAll(), [`word grant ${MAX_RELAYED + COST}`]);
    await near.send(bytes(MAX_RELAYED));
    assert.deepEqual([near.readAll(), far.readAll()], [[], [`data ${MAX_RELAYED}`]]);
    await near.send(bytes(MAX_RELAYED));
    assert.deepEqual([near.readAll(), far.readAll()], [["reset too-fast"], ["reset lost"]]);
    assert.deepEqual([near.client.cut, far.client.cut], [undefined, undefined]);
  });

  test("lets nobody grant what he has not been given", async () => {
    const { near, far } = await channel();
    await near.send(bytes(100));
    assert.deepEqual(far.readAll(), ["data 100"]);
    await far.send(`grant ${100 + COST}`, KIND.word);
    assert.deepEqual(near.readAll(), [`word grant ${100 + COST}`]);
    await far.send("grant 1", KIND.word);
    assert.deepEqual([near.readAll(), far.readAll()], [["reset lost"], ["reset too-much"]]);
  });

  const breaches: [string, (client: RelayClient) => Promise<void>][] = [
    ["a frame too long", (client) => client.send(bytes(MAX_RELAYED + 1))],
    ["a frame without bytes", (client) => client.send("")],
    ["a word nobody knows", (client) => client.send("shout", KIND.word)],
    ["a long word", (client) => client.send("x".repeat(100), KIND.word)],
    ["a close that says something", (client) => client.send("bye", KIND.close)],
  ];
  for (const [what, breach] of breaches) {
    test(`${what} costs its sender that channel only`, async () => {
      const bench = relaying();
      const { near, far } = await channel(bench);
      await breach(near);
      assert.match(near.readAll().join(), /^reset too-/);
      assert.deepEqual(far.readAll(), ["reset lost"]);
      assert.equal(near.client.cut, undefined);
      assert.equal(bench.registrar.relay!.size, 0);
      await near.client.say({ type: "signal", dialog: near.dialog, body: "1" });
      far.client.expect("signal");
    });
  }

  for (const [word, kind] of [
    ["end", KIND.word],
    ["", KIND.close],
  ] as const) {
    test(`a second ${word || "close"} costs its sender that channel, also while the first waits for its time`, async () => {
      const { near, far } = await channel(relaying({ relayRate: 1_000 }));
      for (let i = 0; i < 2; i++) await near.send(bytes(1_000));
      await near.send(word, kind);
      await near.send(word, kind);
      assert.deepEqual(near.readAll(), ["reset too-much"]);
      assert.deepEqual(far.readAll().at(-1), "reset lost");
    });
  }

  test("what is granted to a client that does not read waits as one word, and is credit when it is read", async () => {
    const { near, far } = await channel();
    for (let i = 0; i < 3; i++) await near.send(bytes(MAX_RELAYED));
    assert.equal(far.readAll().length, 3);
    for (let i = 0; i < 2_000; i++) await far.send("grant 1", KIND.word);
    await far.send(bytes(5));
    for (let i = 0; i < 13; i++) await near.send(bytes(MAX_RELAYED - COST));
    await near.send(bytes(MAX_RELAYED));
    assert.deepEqual(near.readAll(), ["reset too-fast"]);

    const again = await channel();
    await again.near.send(bytes(100));
    again.far.readAll();
    for (const part of [1, 2, 100]) await again.far.send(`grant ${part}`, KIND.word);
    await again.far.send(bytes(5));
    assert.deepEqual(again.near.readAll(), ["word grant 103", "data 5"]);
  });

  test("keeps a bounded number of answers for a client that does not read them", async () => {
    const { near } = await dialog();
    const stray = new RelayClient(near.client, 9);
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 500; j++) await stray.ask();
      near.client.pass(1_000);
    }
    assert.equal(near.client.cut, undefined);
    assert.equal(stray.readAll().length, 1_024);
  });

  test("bytes before both have asked cost the channel, bytes of no channel nothing", async () => {
    const { near, far } = await dialog();
    await near.send(bytes(1));
    assert.equal(near.client.cut, undefined);
    await near.ask();
    await near.send(bytes(1));
    assert.deepEqual(near.readAll(), ["reset too-fast"]);
    await far.ask();
    assert.deepEqual(far.readAll(), ["reset lost"]);
  });

  for (const frame of [[], [0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 1, 4]]) {
    test(`the bytes ${JSON.stringify(frame)} are no frame, which ends the connection`, async () => {
      const { near, far } = await channel();
      await near.client.sendBytes(Uint8Array.from(frame));
      assert.equal(near.client.cut?.status, 1002);
      assert.deepEqual(far.readAll(), ["reset lost"]);
    });
  }

  test("ends a channel that only one side wants after 10 s", async () => {
    const bench = relaying();
    const { near } = await dialog(bench);
    await near.ask();
    bench.clock.advance(9_999);
    assert.deepEqual(near.readAll(), []);
    bench.clock.advance(1);
    assert.deepEqual(near.readAll(), ["reset lost"]);
    assert.equal(bench.registrar.relay!.size, 0);
  });

  test("who asks where there is no dialog is told, twice is once", async () => {
    const bench = relaying();
    const { near, far } = await dialog(bench);
    await near.ask();
    await near.ask();
    await far.ask();
    near.client.expect("relay");
    assert.deepEqual(near.client.heard, []);
    const stray = new RelayClient(near.client, 9);
    await stray.ask();
    assert.equal(stray.read(), "reset lost");
  });

  test("a client that leaves, or resets, ends its channels on the other side", async () => {
    const bench = relaying();
    const [one, two] = [await channel(bench), await channel(bench)];
    await one.near.send(bytes(1));
    await one.near.client.leave();
    assert.deepEqual(one.far.readAll(), ["reset lost"]);
    await two.near.send(bytes(1));
    await two.near.send("", KIND.reset);
    assert.deepEqual(two.far.readAll(), ["reset"]);
    assert.equal(bench.registrar.relay!.size, 0);
  });

  test("has limits for channels, of each client and in all", async () => {
    for (const limits of [{ relaysPerConnection: 1 }, { relaysPerAddress: 1 }, { relays: 1 }]) {
      const bench = relaying(limits);
      const { near, far } = await channel(bench);
      const uid = await far.client.register();
      await near.client.say({ type: "open", dialog: 2, uid, transportType: "test" });
      near.client.expect("opened");
      const second = new RelayClient(near.client, 2);
      await second.ask();
      assert.equal(second.read(), "reset too-many");
      await near.send(bytes(1));
      assert.equal(far.read(), "data 1");
    }
  });

  test("lets a pair send so many bytes, and so many frames a second", async () => {
    const { near, far } = await channel(relaying({ relayBytes: 10 }));
    await near.send(bytes(10));
    await far.send(bytes(10));
    await near.send(bytes(1));
    assert.deepEqual(near.readAll(), ["reset too-much"]);
    const other = await channel(relaying({ relayFrameRate: 2 }));
    for (let i = 0; i < 3; i++) await other.near.send(bytes(1));
    assert.deepEqual(other.near.readAll(), ["reset too-fast"]);
  });

  for (const limit of ["relayRate", "relayRatePerConnection"] as const) {
    test(`spreads over time what is faster than ${limit}, in order and without holding up grants`, async () => {
      const bench = relaying({ [limit]: 4_000 });
      const { near, far } = await channel(bench);
      for (let i = 1; i <= 5; i++) await near.send(bytes(1_000 + i));
      await near.send("end", KIND.word);
      assert.deepEqual(far.readAll(), ["data 1001"]);
      await far.send(bytes(1));
      assert.deepEqual(near.readAll(), ["data 1"]);
      await near.send(`grant ${1 + COST}`, KIND.word);
      assert.deepEqual(far.readAll(), [`word grant ${1 + COST}`]);
      bench.clock.advance(400);
      const soon = far.readAll();
      assert.deepEqual(soon, ["data 1002", "data 1003"]);
      bench.clock.advance(2_000);
      assert.deepEqual(far.readAll(), ["data 1004", "data 1005", "word end"]);
    });
  }

  test("gives each channel of a client its turn, by bytes", async () => {
    const bench = relaying();
    const server = await bench.greet("192.0.2.1");
    const uid = await server.register();
    const senders: RelayClient[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await bench.greet("192.0.2.2");
      await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
      client.expect("opened");
      const far = new RelayClient(server, server.expect("incoming").dialog);
      senders.push(new RelayClient(client, 1));
      await senders[i]!.ask();
      await far.ask();
      client.expect("relay");
      server.expect("relay");
    }
    const [greedy, modest] = senders;
    for (let i = 0; i < 12; i++) await greedy!.send(bytes(16_000));
    for (let i = 0; i < 12; i++) await modest!.send(bytes(1_000));
    const order: number[] = [];
    for (let frame = server.take(); frame; frame = server.take()) order.push(messageOf(frame).length);
    assert.equal(order.length, 24);
    const lastModest = order.lastIndexOf(1_000);
    const greedyBefore = order.slice(0, lastModest).filter((length) => length === 16_000).length;
    assert.ok(greedyBefore <= 2, `${greedyBefore} long frames before the last of the short: ${order}`);
  });

  test("relays between registrars of a cluster, and ends what went through one that dies", async () => {
    const directory = new MemoryDirectory();
    const here = await new RegistrarBench({ directory, seed: 1, relay: true }).join();
    const there = await new RegistrarBench({ directory, seed: 2, relay: true }).join();
    const { near, far } = await channel(here, there);
    await near.send(Uint8Array.of(1, 2, 255));
    await here.settled();
    const frame = far.client.take()!;
    assert.deepEqual([...messageOf(frame)], [1, 2, 255]);
    await far.send(`grant ${3 + COST}`, KIND.word);
    await here.settled();
    assert.deepEqual(near.readAll(), [`word grant ${3 + COST}`]);
    await here.crash();
    await near.send(bytes(1));
    await here.settled();
    assert.deepEqual(near.readAll(), ["reset lost"]);
  });
});
