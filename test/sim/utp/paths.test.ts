import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Millis } from "../../../src/contract/clock.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Trace } from "../../kit/trace.ts";
import { anyDial, anyScene } from "./any-scene.ts";
import type { Dialogue } from "./scene.ts";
import { Scene } from "./scene.ts";

function change(scene: Scene, after: Millis, link: LinkOptions, directions: readonly ("ab" | "ba")[]): void {
  const { pair } = scene;
  pair.clock.setTimer(pair.clock.now() + after, () => {
    for (const direction of directions) pair[direction].change(link);
  });
}

function codes({ dialler, acceptor }: Dialogue): (string | undefined)[] {
  return [dialler, acceptor].map(({ closed }) => (closed?.error as NodeJS.ErrnoException | undefined)?.code);
}

const BOTH = ["ab", "ba"] as const;
const DOWNLOAD = { dialler: { bytes: 10 }, acceptor: { bytes: 400_000 } };

describe("the packet size", () => {
  for (const [family, addresses] of [
    ["IPv4", ["10.0.0.1", "10.0.0.2"]],
    ["IPv6", ["fd00::1", "fd00::2"]],
  ] as const) {
    for (const mtu of [1280, 1320, 1400, 1480, 1492, 1500]) {
      test(`finds its way through an ${family} path of ${mtu} bytes`, () => {
        const scene = new Scene({ seed: mtu, trace: new Trace(), link: { latency: 10, rate: 10e6, mtu } });
        for (const [i, name] of (["a", "b"] as const).entries()) {
          scene.pair[name].address = { address: addresses[i]!, port: 1001 + i };
        }
        const { acceptor } = scene.dial({ acceptor: { bytes: 3_000_000 } });
        let payload = 0;
        const { pair } = scene;
        pair.runUntil(() => {
          payload = acceptor.connection?.stats().payload ?? 0;
          return acceptor.heard.includes("finished");
        });
        assert.equal(scene.playClean(), 0);
        const most = mtu - (family === "IPv4" ? 28 : 48) - 20;
        assert.ok(payload <= most && payload >= Math.min(1200, most), `${payload} of ${most}`);
        assert.ok(payload > most - 72, `${payload} of ${most} is too small a step`);
      });
    }
  }

  for (const [name, meta] of [
    ["bytes", undefined],
    ["bytes with metadata", new Uint8Array(200)],
  ] as const) {
    test(`survives a path that becomes narrower while ${name} are on the way`, () =>
      forEachSeed(60, (seed, trace) => {
        const link = { latency: 10, rate: 20e6, queueMillis: 100, loss: seed % 3 === 0 ? 0.02 : 0 };
        const scene = new Scene({ seed, trace, link });
        scene.dial({ ...DOWNLOAD, acceptor: { bytes: 400_000, ...(meta ? { meta } : {}) } });
        change(scene, 50 + 2 * (seed % 80), { mtu: 1280 + (seed % 100) }, ["ba"]);
        if (seed % 2 === 0) change(scene, 3000, { mtu: 1500 }, ["ba"]);
        assert.equal(scene.playClean(), 0);
      }));
  }
});

describe("a cable", () => {
  for (const directions of [["ab"], ["ba"], BOTH] as const) {
    test(`cut for 10 s (${directions}) delays a transfer and breaks nothing`, () =>
      forEachSeed(20, (seed, trace) => {
        const scene = new Scene({ seed, trace, link: { latency: 20, rate: 10e6, queueMillis: 100 } });
        scene.dial({ dialler: { bytes: 300_000 }, acceptor: { bytes: 300_000 } });
        change(scene, 100 + 10 * (seed % 30), { cut: true }, directions);
        change(scene, 10_100 + 10 * (seed % 30), { cut: false }, directions);
        assert.equal(scene.playClean(), 0);
      }));

    test(`cut for good (${directions}) ends in an error on both sides`, () =>
      forEachSeed(20, (seed, trace) => {
        const scene = new Scene({ seed, trace, link: { latency: 20, rate: 10e6, queueMillis: 100 } });
        const sizes = [0, 300_000];
        const dialogue = scene.dial({
          dialler: { bytes: sizes[seed & 1]!, answers: seed % 3 === 0 },
          acceptor: { bytes: 1_000_000, answers: seed % 3 === 1 },
        });
        change(scene, 80 + (seed % 100), { cut: true }, directions);
        scene.play();
        for (const code of codes(dialogue)) assert.match(`${code}`, /ETIMEDOUT|ECONNRESET/);
        const patience = 1000 + 180 + 25_000 + 4 * 30_000;
        assert.ok(scene.pair.clock.now() < patience, `it took until ${scene.pair.clock.now()}`);
      }));
  }

  test("cut for good between two idle sides is noticed by both", () => {
    const scene = new Scene({ seed: 1, trace: new Trace(), link: { latency: 20 } });
    const dialogue = scene.dial({ dialler: { answers: true }, acceptor: { answers: true } });
    change(scene, 1000, { cut: true }, BOTH);
    scene.play();
    assert.deepEqual(codes(dialogue), ["ETIMEDOUT", "ETIMEDOUT"]);
    assert.ok(scene.pair.clock.now() < 65_000, `it took until ${scene.pair.clock.now()}`);
  });
});

test("a NAT that forgets its mapping ends connections in an error on both sides", () =>
  forEachSeed(50, (seed, trace) => {
    const scene = new Scene({ seed, trace, link: { latency: 20, rate: 10e6, queueMillis: 100 } });
    const dialogue = scene.dial({ dialler: { bytes: 500_000 }, acceptor: { bytes: 500_000 } });
    scene.pair.clock.setTimer(scene.pair.clock.now() + 60 + 3 * (seed % 50), () => {
      scene.pair.a.address = { address: "10.0.0.9", port: 4000 };
    });
    scene.play();
    for (const code of codes(dialogue)) assert.match(`${code}`, /ETIMEDOUT|ECONNRESET/);
  }));

test("cuts, narrow paths and new links at any moment end in order or in an error", () =>
  forEachSeed(1000, (seed, trace) => {
    const scene = anyScene(seed, trace);
    const { random } = scene;
    for (let dials = 1 + random.integer(3); dials > 0; dials--) scene.dial(anyDial(random));
    for (let changes = random.integer(6); changes > 0; changes--) {
      const directions = [["ab"], ["ba"], BOTH][random.integer(3)] as ("ab" | "ba")[];
      const link = [{ cut: true }, { cut: false }, { mtu: 1248 + random.integer(253) }, { latency: 300 }];
      change(scene, random.next() * 10 ** (1 + random.integer(5)), link[random.integer(4)]!, directions);
    }
    scene.play();
  }));
