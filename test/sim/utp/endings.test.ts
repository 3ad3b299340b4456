import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FIN } from "../../../src/utp/packet.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Trace } from "../../kit/trace.ts";
import { anyDial, anyScene } from "./any-scene.ts";
import type { Party, Script } from "./party.ts";
import { type DialScript, Scene } from "./scene.ts";

const HOUR = 3_600_000;

function codeOf(party: Party): string | undefined {
  return (party.closed?.error as NodeJS.ErrnoException | undefined)?.code;
}

/** One dial over a perfect link of 20 ms. */
function start(script: DialScript, link: LinkOptions = {}) {
  const scene = new Scene({ seed: 1, trace: new Trace(), link: { latency: 20, ...link } });
  return { scene, ...scene.dial(script) };
}

/** Every choice of who has how much to say, and who waits for the other's end. */
const ORDERLY: Record<string, { dialler: Partial<Script>; acceptor: Partial<Script> }> = {
  "neither has a byte to say": { dialler: {}, acceptor: {} },
  "only the dialler speaks": { dialler: { bytes: 20_000 }, acceptor: {} },
  "only the acceptor speaks": { dialler: {}, acceptor: { bytes: 20_000 } },
  "both end at once": { dialler: { bytes: 20_000 }, acceptor: { bytes: 20_000 } },
  "the acceptor answers a half-closed dialler": {
    dialler: { bytes: 1000 },
    acceptor: { bytes: 50_000, answers: true },
  },
  "the dialler answers a half-closed acceptor": {
    dialler: { bytes: 50_000, answers: true },
    acceptor: { bytes: 1000 },
  },
};

describe("an orderly end", () => {
  for (const [name, script] of Object.entries(ORDERLY)) {
    test(`both sides hear end, finished and closed without error when ${name}`, () =>
      forEachSeed(50, (seed, trace) => {
        const link = { latency: 20, jitter: 5, loss: seed % 2 === 0 ? 0.1 : 0, reorder: 0.1 };
        const scene = new Scene({ seed, trace, link });
        const { dialler, acceptor } = scene.dial(script);
        assert.equal(scene.playClean(), 0);
        for (const { heard } of [dialler, acceptor]) assert.ok(heard.includes("finished"), heard.join());
      }));
  }

  test("whose last acknowledgement is lost is acknowledged again", () => {
    const { scene, acceptor } = start({ acceptor: { answers: true } });
    let fins = 0;
    let lost = 0;
    scene.pair.intercept = (data, from) => {
      if (from === "b" && data[0]! >> 4 === FIN) fins++;
      const isLast = from === "a" && fins > 0 && lost === 0;
      if (isLast) lost++;
      return isLast ? undefined : data;
    };
    assert.equal(scene.playClean(), 0);
    assert.deepEqual([fins, lost], [2, 1]);
    assert.ok(acceptor.heard.includes("finished"), acceptor.heard.join());
  });

  test("a reader who pauses for an hour after both have ended still reads everything", () => {
    const { scene } = start({
      dialler: { bytes: 30_000 },
      acceptor: { bytes: 10, pauses: 1, pauseEvery: 1, pause: HOUR },
    });
    assert.equal(scene.playClean(), 0);
  });

  test("a reader who pauses for an hour before the other's end keeps the connection", () => {
    const { scene } = start({
      dialler: { bytes: 500_000 },
      acceptor: { bytes: 10, pauses: 1, pauseEvery: 1, pause: HOUR, answers: true },
    });
    assert.equal(scene.playClean(), 0);
  });

  test("a side that says nothing for an hour stays connected", () => {
    const { scene, dialler, acceptor } = start({ dialler: { answers: true }, acceptor: { answers: true } });
    scene.pair.runFor(HOUR);
    assert.equal(dialler.closed, undefined);
    dialler.leave("close");
    scene.play();
    assert.ok(acceptor.heard.includes("end"));
  });
});

describe("a close", () => {
  test("still delivers what was written", () => {
    const { scene, acceptor } = start({
      dialler: { bytes: 30_000, leaves: { how: "close", after: 30_010 } },
      acceptor: { bytes: 10 },
    });
    scene.play();
    assert.equal(acceptor.read, 30_000);
    assert.ok(acceptor.heard.includes("end"));
    assert.equal(acceptor.closed?.error, undefined);
  });

  test("resets a peer that goes on writing", () => {
    const { scene, dialler, acceptor } = start({
      dialler: { bytes: 2_000_000 },
      acceptor: { leaves: { how: "close", after: 50_000 } },
    });
    scene.play();
    assert.equal(codeOf(dialler), "ECONNRESET");
    assert.equal(acceptor.closed?.error, undefined);
  });

  test("before the answer is a dial that never was", () => {
    const { scene, dialler, acceptor } = start({});
    scene.pair.runFor(10);
    dialler.leave("close");
    scene.play();
    assert.equal(acceptor.connection, undefined);
    assert.deepEqual(dialler.heard, ["closed"]);
  });
});

describe("an abort", () => {
  test("tells the peer ECONNRESET", () => {
    const { scene, acceptor } = start({
      dialler: { bytes: 500_000, leaves: { how: "abort", after: 400_000 } },
    });
    scene.play();
    assert.equal(codeOf(acceptor), "ECONNRESET");
  });

  test("by both sides at once leaves nothing behind", () => {
    const { scene, dialler, acceptor } = start({ dialler: { answers: true }, acceptor: { answers: true } });
    scene.pair.runFor(1000);
    dialler.leave("abort");
    acceptor.leave("abort");
    scene.play();
  });

  test("whose RESET is lost is found out by a peer with bytes to send", () => {
    const { scene, acceptor } = start({ acceptor: { bytes: 2_000_000 } });
    abortUnheard(scene, 300);
    scene.play();
    assert.equal(codeOf(acceptor), "ECONNRESET");
  });

  test("whose RESET is lost is found out by an idle peer within a minute", () => {
    const { scene, acceptor } = start({ dialler: { answers: true }, acceptor: { answers: true } });
    abortUnheard(scene, 300);
    const from = scene.pair.clock.now();
    scene.play();
    assert.equal(codeOf(acceptor), "ECONNRESET");
    assert.ok(scene.pair.clock.now() - from < 60_000);
  });
});

/** The dialler aborts after `ms`, and nobody hears it. */
function abortUnheard({ pair, dialogues }: Scene, ms: number): void {
  pair.runFor(ms);
  pair.ab.change({ cut: true });
  dialogues[0]!.dialler.leave("abort");
  pair.ab.change({ cut: false });
}

test("closes and aborts at any moment never pass for an orderly end", () =>
  forEachSeed(1000, (seed, trace) => {
    const scene = anyScene(seed, trace);
    const { random } = scene;
    for (let dials = 1 + random.integer(3); dials > 0; dials--) {
      const { dialler, acceptor } = scene.dial(anyDial(random));
      const leaver = random.chance(0.5) ? dialler : acceptor;
      const at = scene.pair.clock.now() + random.next() * 10 ** (1 + random.integer(4));
      scene.pair.clock.setTimer(at, () => leaver.leave(random.chance(0.5) ? "close" : "abort"));
    }
    scene.play();
  }));
