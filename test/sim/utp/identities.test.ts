import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { Random } from "../../../src/contract/runtime.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import { memory } from "../../kit/memory.ts";
import { Pair } from "../../kit/pair.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Trace } from "../../kit/trace.ts";
import { Scene } from "./scene.ts";

/** Gives the numbers in turn, again and again, as an endpoint draws them: 16 bits each. */
function drawing(numbers: readonly (number | (() => number))[]): Random {
  let drawn = 0;
  return {
    fill(bytes) {
      const next = numbers[drawn++ % numbers.length]!;
      const number = typeof next === "number" ? next : next();
      bytes[0] = number >> 8;
      bytes[1] = number;
      return bytes;
    },
  };
}

/** Sequence numbers far from each other, so that those of an earlier connection are never plausible. */
function farApart(seed: number): () => number {
  let number = seed;
  return () => {
    number = (number + 10_007) & 0xffff;
    return number;
  };
}

/** The dialler draws an id and a sequence number for each dial, the acceptor a sequence number. */
function sameId(seed: number): (side: "a" | "b") => Random {
  return (side) => drawing(side === "a" ? [4242, farApart(seed)] : [farApart(seed + 1)]);
}

describe("a connection id", () => {
  test("is used again at once for one connection after the other", () =>
    forEachSeed(20, (seed, trace) => {
      const link = { latency: 10, loss: 0.05, duplicate: 0.1, reorder: 0.1, reorderDelay: 300 };
      const scene = new Scene({ seed, trace, link, random: sameId(seed) });
      for (let i = 0; i < 20; i++) {
        scene.dial({ dialler: { bytes: 3000 }, acceptor: { bytes: 3000 }, options: { timeout: 300_000 } });
        scene.pair.runUntil(() => scene.dialogues[i]!.dialler.closed !== undefined);
      }
      scene.playClean();
    }));

  test("is used again while everything of the earlier connection comes once more", () =>
    forEachSeed(50, (seed, trace) => {
      const scene = new Scene({ seed, trace, link: { latency: 10 }, random: sameId(seed) });
      const { pair } = scene;
      const early: { data: Uint8Array; ab: boolean }[] = [];
      pair.intercept = (data, from) => {
        early.push({ data, ab: from === "a" });
        return data;
      };
      const talk = { dialler: { bytes: 30_000 }, acceptor: { bytes: 30_000 } };
      scene.dial(talk);
      scene.play();
      pair.intercept = undefined;
      scene.dial({ ...talk, acceptor: { bytes: 300_000 } });
      pair.runFor(50);
      for (const [i, { data, ab }] of early.entries()) {
        pair.clock.setTimer(pair.clock.now() + i / 2, () => {
          const [link, { address }] = ab ? [pair.ab, pair.a] : [pair.ba, pair.b];
          link.send({ data: new Uint8Array(data), remote: address }, data.length + 28, pair.clock.now());
        });
      }
      assert.equal(scene.playClean(), 0);
    }));

  test("of a lingering connection is told from that of the next by its numbers", () =>
    forEachSeed(50, (seed, trace) => {
      const scene = new Scene({ seed, trace, link: { latency: 10, loss: 0.2 }, random: sameId(seed) });
      const options = { timeout: 300_000, connectTimeout: 60_000 };
      for (let at = 0; at < 5000; at += 500) {
        scene.dial({ at, dialler: { bytes: 500 }, acceptor: { bytes: 500 }, options });
      }
      scene.play();
    }));
});

describe("two sides that dial each other at once", () => {
  test("get two connections", () =>
    forEachSeed(50, (seed, trace) => {
      const scene = new Scene({ seed, trace, link: { latency: 20, jitter: seed % 10 } });
      const talk = { dialler: { bytes: 20_000 }, acceptor: { bytes: 20_000 } };
      scene.dial({ ...talk, from: "a" });
      scene.dial({ ...talk, from: "b" });
      assert.equal(scene.playClean(), 0);
    }));

  for (const [a, b] of [
    [7, 7],
    [0, 65_534],
    [65_534, 65_534],
  ] as const) {
    test(`get two connections with the ids ${a} and ${b}`, () => {
      const random = (side: "a" | "b") => drawing([side === "a" ? a : b, farApart(a)]);
      const scene = new Scene({ seed: 1, trace: new Trace(), link: { latency: 20 }, random });
      const talk = { dialler: { bytes: 20_000 }, acceptor: { bytes: 20_000 } };
      scene.dial({ ...talk, from: "a" });
      scene.dial({ ...talk, from: "b" });
      assert.equal(scene.playClean(), 0);
    });
  }

  for (const [pause, outcome] of [
    [0, "the second when the first has ended"],
    [10_000, "an error while the first lasts"],
  ] as const) {
    test(`get one connection and, if an id is the other's answer, ${outcome}`, () => {
      const random = (side: "a" | "b") => drawing([side === "a" ? 8 : 7, farApart(1)]);
      const scene = new Scene({ seed: 1, trace: new Trace(), link: { latency: 20 }, random });
      const reader = { pauses: 1, pauseEvery: 1, pause };
      const first = scene.dial({ from: "a", dialler: { bytes: 200_000 }, acceptor: reader });
      const second = scene.dial({ from: "b", dialler: { bytes: 20_000 } });
      scene.play();
      assert.ok(first.dialler.clean && first.acceptor.clean);
      assert.equal(second.dialler.clean, pause === 0, `${second.dialler.closed?.error}`);
    });
  }
});

test("500 connections at once between two ports keep apart", () => {
  const random = seededRandom(5);
  const link = { latency: 20, jitter: 10, loss: 0.02, rate: 100e6, queueMillis: 500 };
  const scene = new Scene({ seed: 5, trace: new Trace(), link, options: { connectTimeout: 60_000 } });
  for (let i = 0; i < 500; i++) {
    const from = random.chance(0.5) ? "a" : "b";
    scene.dial({ from, at: 500 * random.next(), dialler: { bytes: 2000 }, acceptor: { bytes: 2000 } });
  }
  assert.equal(scene.playClean(), 0);
});

test("thousands of connections one after the other leave nothing behind", (t) => {
  const pair = new Pair({
    a: new UtpEndpoint({ random: seededRandom(1) }),
    b: new UtpEndpoint({ random: seededRandom(2) }),
    link: { latency: 5 },
  });
  pair.b.engine.listen();
  for (const side of [pair.a, pair.b]) {
    side.onEvent = ({ type, connection }) => {
      if (type === "readable") while (side.call(() => connection.read()));
      if (type === "connected" || type === "end") side.call(() => connection.end());
      // The pair keeps all events, which would keep their connections.
      side.events.length = 0;
    };
  }
  const dial = (count: number): number => {
    for (let i = 0; i < count; i++) {
      pair.a.call((engine) => engine.connect(pair.b.address).write(new Uint8Array(2000)));
      pair.runFor(200);
    }
    assert.deepEqual([pair.a.engine.size, pair.b.engine.size], [0, 0]);
    return memory();
  };
  const before = dial(1000);
  const grown = dial(4000) - before;
  t.diagnostic(`${(grown / 1024).toFixed(0)} KB more after 4000 connections`);
  assert.ok(grown < 500_000, `${grown} bytes`);
});
