import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { forEachSeed } from "../../kit/seeds.ts";
import { Trace } from "../../kit/trace.ts";
import { Scene } from "./scene.ts";

const MINUTE = 60_000;
const PACKET = 1452;

describe("a window", () => {
  test("of any size, however tiny, lets every byte through", () =>
    forEachSeed(200, (seed, trace) => {
      const link = { latency: 10, jitter: 4, loss: seed % 3 === 0 ? 0.1 : 0, reorder: 0.05 };
      const scene = new Scene({ seed, trace, link, receiveWindow: 1 + ((seed * 37) % 3000) });
      scene.dial({ dialler: { bytes: 20_000 }, acceptor: { bytes: 20_000 } });
      assert.equal(scene.playClean(), 0);
    }));

  test("of a reader who takes a byte at a time lets every byte through", () =>
    forEachSeed(10, (seed, trace) => {
      const scene = new Scene({
        seed,
        trace,
        link: { latency: 10, loss: 0.02 },
        receiveWindow: 100 * (1 + (seed % 10)),
      });
      scene.dial({ dialler: { bytes: 5000 }, acceptor: { reads: 1 } });
      assert.equal(scene.playClean(), 0);
    }));

  test("bounds what a reader holds who has stopped, and what is sent to him in an hour", () =>
    forEachSeed(20, (seed, trace) => {
      const receiveWindow = 1000 * (1 + (seed % 20));
      const scene = new Scene({ seed, trace, link: { latency: 20, loss: 0.02 }, receiveWindow });
      const { dialler, acceptor } = scene.dial({
        dialler: { bytes: 2_000_000 },
        acceptor: { pauses: 1, pauseEvery: 1, pause: 60 * MINUTE },
      });
      scene.pair.runFor(MINUTE);
      const { sent } = scene.pair.ab.counters;
      scene.pair.runFor(58 * MINUTE);
      // The window may have grown before the stop, and packets ahead of a missing one are taken beside those in order.
      const most = 10 * receiveWindow + 2 * PACKET;
      assert.ok(acceptor.connection!.readable <= most, `${acceptor.connection!.readable} of ${most}`);
      assert.ok(scene.pair.ab.counters.sent - sent < 58 * 60, `${scene.pair.ab.counters.sent - sent} sent`);
      assert.equal(dialler.closed, undefined);
      assert.equal(scene.playClean(), 0);
    }));

  test("that opens again is told at once", () => {
    const scene = new Scene({ seed: 1, trace: new Trace(), link: { latency: 20 } });
    const { acceptor } = scene.dial({
      dialler: { bytes: 500_000 },
      acceptor: { pauses: 1, pauseEvery: 100_000, pause: MINUTE },
    });
    scene.pair.runUntil(() => acceptor.read >= 100_000);
    const paused = acceptor.read;
    const from = scene.pair.clock.now();
    scene.pair.runFor(MINUTE - 1);
    assert.equal(acceptor.read, paused);
    // What had come is read at the end of the pause; what comes next is a round trip away.
    scene.pair.runUntil(() => acceptor.read > paused + acceptor.connection!.readable);
    scene.pair.runUntil(() => acceptor.read === 500_000);
    const took = scene.pair.clock.now() - from - MINUTE;
    assert.ok(took < 500, `${took} ms`);
    assert.equal(scene.playClean(), 0);
  });

  test("that is closed for long says nothing about the path: packets stay as large as they were", () => {
    const link = { latency: 20, rate: 20e6, queueMillis: 100 };
    const scene = new Scene({ seed: 1, trace: new Trace(), link });
    const { dialler, acceptor } = scene.dial({
      dialler: { bytes: 8_000_000, chunk: 65_536 },
      acceptor: { pauses: 1, pauseEvery: 2_000_000, pause: 5 * MINUTE },
    });
    const payload = () => dialler.connection!.stats().payload;
    scene.pair.runUntil(() => acceptor.read >= 2_000_000);
    assert.equal(payload(), PACKET);
    scene.pair.runFor(4 * MINUTE);
    assert.equal(payload(), PACKET);
    assert.equal(scene.playClean(), 0);
  });

  test("closed by both sides at once opens again for both", () =>
    forEachSeed(50, (seed, trace) => {
      const scene = new Scene({ seed, trace, link: { latency: 20, loss: 0.05 }, receiveWindow: 20_000 });
      const stops = { bytes: 300_000, pauses: 3, pauseEvery: 50_000, pause: 1000 * (seed % 100) };
      scene.dial({ dialler: stops, acceptor: stops });
      assert.equal(scene.playClean(), 0);
    }));

  test("grows on a long path until it carries what the path does, and bounds a stopped reader all the same", () => {
    const link = { latency: 50, rate: 100e6, queueMillis: 100 };
    const scene = new Scene({ seed: 1, trace: new Trace(), link, receiveWindow: 65_536 });
    const { acceptor } = scene.dial({
      dialler: { bytes: 40_000_000, chunk: 65_536 },
      acceptor: { pauses: 1, pauseEvery: 30_000_000, pause: MINUTE },
    });
    const { pair } = scene;
    pair.runUntil(() => acceptor.read >= 20_000_000);
    const from = pair.clock.now();
    pair.runUntil(() => acceptor.read >= 29_000_000);
    const rate = (9_000_000 * 8) / (pair.clock.now() - from) / 1000;
    assert.ok(rate > 50, `${rate.toFixed(1)} of 100 Mbit/s`);
    pair.runFor(MINUTE / 2);
    const { readable } = acceptor.connection!;
    assert.ok(readable < 8 * 1024 * 1024 + PACKET, `${readable} bytes wait`);
    assert.equal(scene.playClean(), 0);
  });
});
