import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../src/base/random.ts";
import { forEachSeed } from "../kit/seeds.ts";
import { type ChannelSetup, type ChannelTest, type EachWay, onBench } from "./channel-bench.ts";
import { testChannelClosing } from "./test-channel-closing.ts";

/** Every rule of `contract/channel.ts`, for any implementation. */
export function testChannel(setup: ChannelSetup): void {
  const { run = (work) => work, timeout = 60_000, mostUnread = 32 << 20 } = setup;
  const check: ChannelTest = (fact, body) => {
    test(fact, { timeout }, () => run(onBench(() => setup.open(), body)));
  };
  const eachWay: EachWay = (fact, body) => {
    check(`${fact} (dialling end)`, async (bench) => {
      const { near, far } = await bench.attached();
      await body(near, far, bench);
    });
    check(`${fact} (accepted end)`, async (bench) => {
      const { near, far } = await bench.attached();
      await body(far, near, bench);
    });
  };
  describe(`channel ${setup.name}`, () => {
    testBytes(check, setup.largest ?? 16 << 20);
    testOwnership(eachWay, mostUnread);
    testBackpressure(eachWay, mostUnread);
    testWaiting(check, eachWay);
    testOptions(check, setup.translated ?? false);
    testChannelClosing(check, eachWay, setup);
  });
}

/** A comparison that does not print megabytes. */
function assertSame(received: Buffer, expected: Uint8Array): void {
  assert.equal(received.length, expected.length);
  const at = received.findIndex((byte, i) => byte !== expected[i]);
  assert.equal(at, -1, `byte ${at} of ${expected.length} is another one`);
}

function testBytes(check: ChannelTest, largest: number): void {
  for (const size of [0, 1, 1000, 65_536, 1 << 20, largest]) {
    check(`${size} bytes arrive unchanged both ways at once`, async (bench) => {
      await forEachSeed(1, async (seed) => {
        const random = seededRandom(seed);
        const { near, far } = await bench.attached();
        const question = random.fill(new Uint8Array(size));
        const answer = random.fill(new Uint8Array(size));
        const nextSize = (): number => 1 + random.integer(random.chance(0.1) ? 200_000 : 20_000);
        await Promise.all([near.send(question, nextSize), far.send(answer, nextSize)]);
        await Promise.all([
          far.until("the question", () => far.bytes >= size),
          near.until("the answer", () => near.bytes >= size),
        ]);
        assertSame(far.received(), question);
        assertSame(near.received(), answer);
      });
    });
  }

  check("many small writes arrive in order, an empty one as nothing", async (bench) => {
    const { near, far } = await bench.attached();
    const words = Array.from({ length: 2000 }, (_, i) => (i % 7 === 0 ? "" : `${i} `));
    for (const word of words) {
      if (!near.write(word)) await near.until("drain", () => !near.refused);
    }
    const text = words.join("");
    await far.until("all words", () => far.bytes >= text.length);
    assert.equal(far.received().toString(), text);
  });

  check("stats count the bytes of both directions", async (bench) => {
    const { near, far } = await bench.attached();
    near.write(new Uint8Array(3000));
    far.write(new Uint8Array(500));
    await far.until("3000 bytes", () => far.bytes === 3000);
    await near.until("500 bytes", () => near.bytes === 500);
    const [a, b] = [near.channel.stats(), far.channel.stats()];
    assert.deepEqual([a.bytesRead, a.bytesWritten], [500, 3000]);
    assert.deepEqual([b.bytesRead, b.bytesWritten], [3000, 500]);
  });
}

function testOwnership(eachWay: EachWay, mostUnread: number): void {
  for (const size of [10_000, 100_000]) {
    eachWay(`${size} bytes are the writer's again after true or a drain`, async (actor, watcher) => {
      const chunk = new Uint8Array(size);
      const most = mostUnread / size;
      let rounds = 0;
      watcher.pause();
      while (rounds < most && !actor.refused) actor.write(chunk.fill(rounds++));
      watcher.resume();
      for (const last = rounds + 10; rounds < last; rounds++) {
        await actor.until("drain", () => !actor.refused);
        actor.write(chunk.fill(rounds));
      }
      await actor.until("drain", () => !actor.refused);
      chunk.fill(0xff);
      actor.end();
      await watcher.until("end", () => watcher.ended);
      const expected = Array.from({ length: rounds }, (_, i) => Buffer.alloc(size, i & 0xff));
      assertSame(watcher.received(), Buffer.concat(expected));
    });
  }

  eachWay("what a reader gets is its own: the writer's chunk stays", async (actor, watcher) => {
    const chunk = Buffer.from("mine");
    actor.write(chunk);
    await watcher.until("the word", () => watcher.bytes === 4);
    for (const arrived of watcher.chunks) arrived.fill(0);
    assert.equal(chunk.toString(), "mine");
  });
}

function testBackpressure(eachWay: EachWay, mostUnread: number): void {
  eachWay(
    "a writer is held up while its peer does not read, and loses nothing",
    async (actor, watcher, bench) => {
      watcher.pause();
      const chunk = new Uint8Array(1 << 18);
      let written = 0;
      for (let held = false; !held; ) {
        assert.ok(written < mostUnread, `${written} bytes were taken although nobody read`);
        written += chunk.length;
        if (actor.write(chunk.slice().fill(written >> 18))) continue;
        const drained = actor.until("drain", () => !actor.refused).then(() => false);
        const fenced = bench.fence().then(() => true);
        held = await Promise.race([drained, fenced]);
        await fenced;
        held &&= actor.refused;
      }
      assert.equal(watcher.bytes, 0);
      watcher.resume();
      await actor.until("drain", () => !actor.refused);
      await watcher.until("everything", () => watcher.bytes === written);
      const received = watcher.received();
      for (let at = 0; at < written; at += chunk.length) assert.equal(received[at], ((at >> 18) + 1) & 0xff);
    },
  );

  eachWay("reading goes on in one direction while the other one is held up", async (actor, watcher) => {
    watcher.pause();
    while (actor.write(new Uint8Array(65_536)));
    watcher.write("still here");
    await actor.until("the words", () => actor.received().toString() === "still here");
  });
}

function testWaiting(check: ChannelTest, eachWay: EachWay): void {
  for (const early of ["near", "far"] as const) {
    check(`data and end that come before attach wait for it (${early})`, async (bench) => {
      const pair = await bench.unattached();
      const [waiting, sending] = early === "near" ? [pair.near, pair.far] : [pair.far, pair.near];
      sending.attach();
      sending.write("early ");
      sending.write("bird");
      sending.end();
      await bench.fence();
      assert.deepEqual(waiting.events, []);
      waiting.attach();
      await waiting.until("end", () => waiting.ended);
      assert.equal(waiting.received().toString(), "early bird");
    });

    check(`a reset that comes before attach waits for it (${early})`, async (bench) => {
      const pair = await bench.unattached();
      const [waiting, leaving] = early === "near" ? [pair.near, pair.far] : [pair.far, pair.near];
      leaving.attach();
      leaving.abort(new Error("no more"));
      await bench.fence();
      assert.deepEqual(waiting.events, []);
      waiting.attach();
      await waiting.until("end or close", () => waiting.ended || waiting.closed !== undefined);
      if (!waiting.closed) waiting.end();
      await waiting.until("close", () => waiting.closed !== undefined);
    });
  }

  check("a channel can be paused before attach", async (bench) => {
    const { near, far } = await bench.unattached();
    far.pause();
    far.attach();
    near.attach().write("late");
    await bench.fence();
    assert.equal(far.bytes, 0);
    far.resume();
    await far.until("the word", () => far.received().toString() === "late");
  });

  eachWay(
    "a paused channel brings neither data nor end until it is resumed",
    async (actor, watcher, bench) => {
      watcher.pause();
      actor.write("held");
      actor.end();
      await bench.fence();
      assert.deepEqual(watcher.events, []);
      watcher.resume();
      await watcher.until("end", () => watcher.ended);
      assert.equal(watcher.received().toString(), "held");
    },
  );

  eachWay("an end alone is held by a pause", async (actor, watcher, bench) => {
    watcher.pause();
    actor.end();
    await bench.fence();
    assert.deepEqual(watcher.events, []);
    watcher.resume();
    watcher.pause();
    await bench.fence();
    watcher.resume();
    await watcher.until("end", () => watcher.ended);
  });

  eachWay("a pause from inside onData holds at once", async (actor, watcher) => {
    let turns = 0;
    watcher.reaction = () => {
      watcher.pause();
      turns += 1;
      setImmediate(() => watcher.resume());
    };
    const size = 1 << 20;
    await actor.send(new Uint8Array(size));
    await watcher.until("everything", () => watcher.bytes === size);
    assert.notEqual(turns, 1);
  });

  eachWay("every method may be called from inside onData", async (actor, watcher) => {
    watcher.reaction = () => {
      watcher.reaction = undefined;
      watcher.pause();
      watcher.write("an answer");
      watcher.resume();
      watcher.end();
    };
    actor.write("a question");
    await actor.until("end", () => actor.ended);
    assert.equal(actor.received().toString(), "an answer");
  });
}

function testOptions(check: ChannelTest, translated: boolean): void {
  check("options, ref and unref are taken at any time, known or not", async (bench) => {
    const { near, far } = await bench.attached();
    const useAll = (): void => {
      near.channel.set("noDelay", false);
      near.channel.set("noDelay", true);
      near.channel.set("keepAlive", 1000);
      near.channel.set("keepAlive", false);
      near.channel.set("congestion", "ledbat");
      near.channel.unref();
      near.channel.ref();
    };
    useAll();
    near.write("on");
    await far.until("the word", () => far.bytes === 2);
    near.abort();
    await near.until("close", () => near.closed !== undefined);
    useAll();
  });

  check("both ends say who the other one is", async (bench) => {
    const { near, far } = await bench.attached();
    assert.equal(near.channel.remote.transportType, far.channel.remote.transportType);
    assert.deepEqual(JSON.parse(JSON.stringify(near.channel.remote)), near.channel.remote);
    assert.deepEqual(JSON.parse(JSON.stringify(far.channel.remote)), far.channel.remote);
    if (near.channel.local && !translated) assert.deepEqual(near.channel.local, far.channel.remote);
  });
}
