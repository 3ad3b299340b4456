import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../../src/base/bytes.ts";
import { addressOf, hex, mapped, OUTER, PORT, Scene } from "./scene.ts";

const MINUTE = 60_000;
const WRONG_VERSION = hex("00810001 00000003");
const UNMAPPED = ["mapped", "unmapped"];

/** A mapping by PCP. */
function held(): Scene {
  const scene = new Scene();
  scene.hear(mapped({ nonce: scene.nonce }));
  assert.deepEqual(scene.events, [{ type: "mapped", outer: OUTER }]);
  return scene;
}

/** A mapping by NAT-PMP. */
function heldByNatPmp(): Scene {
  const scene = new Scene();
  scene.hear(WRONG_VERSION);
  scene.hear(mapped());
  scene.hear(addressOf());
  assert.deepEqual(scene.events, [{ type: "mapped", outer: OUTER }]);
  return scene;
}

function lifetimeOf(request: Uint8Array): number {
  return new DataView(request.buffer).getUint32(request[0] === 2 ? 4 : 8);
}

const types = (scene: Scene): string[] => scene.events.map(({ type }) => type);

describe("a port mapping", () => {
  it("asks by PCP at once, twice, then by NAT-PMP six times, and again after ten minutes", () => {
    const scene = new Scene();
    scene.pass(30_000);
    assert.deepEqual(scene.timesSince(), [0, 3000, 9000, 9250, 9750, 10_750, 12_750, 16_750]);
    assert.deepEqual(
      scene.sent.map(({ data }) => data[0]),
      [2, 2, 0, 0, 0, 0, 0, 0],
    );
    assert.deepEqual(scene.events, [{ type: "unmapped", why: "it does not answer" }]);
    scene.pass(24_750 + 10 * MINUTE - scene.now);
    assert.deepEqual([scene.sent.length, scene.last[0]], [9, 2]);
  });

  it("renews at half of the lease, with the outer endpoint it has", () => {
    const scene = held();
    scene.pass(10 * MINUTE - 1);
    assert.equal(scene.sent.length, 1);
    scene.pass(1);
    assert.equal(toHex(scene.last.slice(40)), "9c41138800000000000000000000ffff05000902");
    scene.hear(mapped({ nonce: scene.nonce, epoch: 700 }));
    scene.pass(10 * MINUTE);
    assert.equal(scene.sent.length, 3);
    assert.deepEqual(types(scene), ["mapped"]);
  });

  it("takes no lease to last longer than it has asked for", () => {
    const scene = new Scene();
    scene.hear(mapped({ nonce: scene.nonce, lifetime: 0xffffffff }));
    scene.pass(10 * MINUTE);
    assert.equal(scene.sent.length, 2);
  });

  it("goes to NAT-PMP at once where PCP is not spoken, and asks for the address then", () => {
    const scene = new Scene();
    scene.hear(WRONG_VERSION);
    assert.equal(toHex(scene.last), "000100009c419c41000004b0");
    scene.hear(mapped());
    assert.equal(toHex(scene.last), "0000");
    assert.deepEqual(scene.events, []);
    scene.hear(addressOf());
    assert.deepEqual(scene.events, [{ type: "mapped", outer: OUTER }]);
    scene.pass(10 * MINUTE);
    assert.equal(toHex(scene.last), "000100009c411388000004b0");
  });

  it("gives up where neither is spoken, or nobody is there", () => {
    const neither = new Scene();
    neither.hear(WRONG_VERSION);
    neither.hear(WRONG_VERSION);
    const nobody = new Scene();
    nobody.refuse();
    for (const scene of [neither, nobody]) {
      const count = scene.sent.length;
      scene.pass(10 * MINUTE - 1);
      assert.deepEqual([types(scene), scene.sent.length], [["unmapped"], count]);
      scene.pass(1);
      assert.equal(scene.sent.length, count + 1);
    }
  });

  it("rests for as long as an error lasts, from half a minute to an hour", () => {
    for (const [seconds, ms] of [
      [0, 30_000],
      [90, 90_000],
      [0xffffffff, 60 * MINUTE],
    ] as const) {
      const scene = new Scene();
      const refusal = mapped({ nonce: scene.nonce, lifetime: seconds }).with(3, 8);
      scene.hear(refusal);
      assert.deepEqual(scene.events, [{ type: "unmapped", why: "it refuses with 8" }]);
      scene.pass(ms - 1);
      assert.equal(scene.sent.length, 1);
      scene.pass(1);
      assert.equal(scene.sent.length, 2);
    }
  });

  it("tells of another outer endpoint, asked or not", () => {
    const scene = held();
    const outer = { address: "5.0.9.3", port: 5001 };
    scene.hear(mapped({ nonce: scene.nonce, outer }));
    assert.deepEqual(scene.events.at(-1), { type: "mapped", outer });
  });

  it("has none while the gateway has no address of its own", () => {
    const scene = new Scene();
    scene.hear(mapped({ nonce: scene.nonce, outer: { address: "0.0.0.0", port: 5000 } }));
    assert.deepEqual(types(scene), ["unmapped"]);
    scene.pass(10 * MINUTE);
    scene.hear(mapped({ nonce: scene.nonce, epoch: 700 }));
    assert.deepEqual(types(scene), ["unmapped", "mapped"]);
  });

  it("takes no lease that is too short, without a port, or of IPv6", () => {
    for (const answer of [
      (nonce: Uint8Array) => mapped({ nonce, lifetime: 59 }),
      (nonce: Uint8Array) => mapped({ nonce, outer: { ...OUTER, port: 0 } }),
      (nonce: Uint8Array) => mapped({ nonce }).with(44, 0x2a),
    ]) {
      const scene = new Scene();
      scene.hear(answer(scene.nonce));
      assert.deepEqual(types(scene), ["unmapped"]);
    }
  });

  it("keeps a lease that is not renewed to its end, and asks anew all the while", () => {
    const scene = held();
    scene.pass(20 * MINUTE - 1);
    assert.deepEqual(types(scene), ["mapped"]);
    scene.pass(1);
    assert.deepEqual(types(scene), UNMAPPED);
    const renewals = scene.timesSince(10 * MINUTE).length;
    assert.ok(renewals >= 6 && renewals <= 20, `${renewals}`);
  });
});

describe("a gateway that starts anew", () => {
  const announcement = (epoch: number): Uint8Array => {
    const data = new Uint8Array(24);
    data.set([2, 0x80]);
    new DataView(data.buffer).setUint32(8, epoch);
    return data;
  };

  it("is asked again when it says so, but not within four seconds", () => {
    const scene = held();
    scene.pass(1000);
    scene.hear(announcement(1));
    scene.pass(2999);
    assert.equal(scene.sent.length, 1);
    scene.pass(1);
    assert.equal(scene.sent.length, 2);
  });

  it("is noticed by a clock that has gone too slow or too fast (RFC 6887 §8.5), and by nothing else", () => {
    for (const [epoch, renews] of [
      [100 + 299, false],
      [100 + 315, false],
      [100 + 330, true],
      [100 + 285, false],
      [100 + 270, true],
      [0, true],
    ] as const) {
      const scene = held();
      scene.pass(300_000);
      scene.hear(announcement(epoch));
      scene.pass(0);
      assert.equal(scene.sent.length, renews ? 2 : 1, `epoch ${epoch}`);
    }
  });

  it("between two answers of NAT-PMP is asked once more", () => {
    const scene = new Scene();
    scene.hear(WRONG_VERSION);
    scene.hear(mapped({ epoch: 100 }));
    scene.hear(addressOf(OUTER.address, 2));
    scene.pass(4000);
    assert.equal(toHex(scene.last), "000100009c411388000004b0");
  });
});

describe("the end of a mapping", () => {
  it("is told to the gateway, which is waited for", () => {
    const scene = held();
    scene.close();
    assert.deepEqual([lifetimeOf(scene.last), types(scene)], [0, ["mapped"]]);
    scene.hear(mapped({ nonce: scene.nonce, lifetime: 0, outer: { address: "0.0.0.0", port: 0 } }));
    assert.deepEqual(types(scene), ["mapped", "closed"]);
    assert.equal(scene.mapping.pollTimeout(), undefined);
  });

  it("is told by NAT-PMP, too", () => {
    const scene = heldByNatPmp();
    scene.close();
    assert.equal(toHex(scene.last), "000100009c41000000000000");
    scene.hear(mapped({ lifetime: 0, outer: { ...OUTER, port: 0 } }));
    assert.deepEqual(types(scene), ["mapped", "closed"]);
  });

  it("is told three times to one that does not answer any more, which takes 1.75 s", () => {
    const scene = held();
    scene.close();
    scene.pass(1750);
    assert.deepEqual(
      [scene.timesSince(), types(scene)],
      [
        [0, 0, 250, 750],
        ["mapped", "closed"],
      ],
    );
  });

  it("waits for nobody who has never said anything, or is not there", () => {
    const silent = new Scene();
    silent.close();
    assert.deepEqual([types(silent), lifetimeOf(silent.last)], [["closed"], 0]);
    const gone = held();
    gone.close();
    gone.refuse();
    assert.deepEqual(types(gone), ["mapped", "closed"]);
  });

  it("comes once, and nothing follows", () => {
    const scene = held();
    scene.close();
    scene.close();
    scene.pass(60 * MINUTE);
    scene.hear(mapped({ nonce: scene.nonce }));
    scene.refuse();
    assert.deepEqual([types(scene), scene.sent.length], [["mapped", "closed"], 4]);
  });
});

describe("what others send", () => {
  it("from elsewhere is dropped, the gateway's other ports included", () => {
    const scene = new Scene();
    for (const remote of [
      { address: "192.168.1.3", port: 5351 },
      { address: "192.168.1.1", port: 5350 },
    ]) {
      scene.hear(mapped({ nonce: scene.nonce }), remote);
    }
    assert.deepEqual([scene.events, [...scene.mapping.drops]], [[], [["elsewhere", 2]]]);
  });

  it("with another nonce or port, or unasked, is dropped", () => {
    const scene = held();
    scene.hear(mapped({ nonce: new Uint8Array(12), outer: { address: "5.0.9.9", port: 1 } }));
    scene.hear(mapped({ nonce: scene.nonce }).with(41, (PORT & 0xff) ^ 1));
    scene.hear(mapped({ outer: { address: "5.0.9.9", port: 1 } }));
    scene.hear(addressOf("5.0.9.9"));
    scene.hear(WRONG_VERSION);
    scene.hear(mapped({ nonce: scene.nonce }).with(3, 8));
    assert.deepEqual([types(scene), [...scene.mapping.drops]], [["mapped"], [["unasked", 6]]]);
  });

  it("that is malformed is dropped", () => {
    const scene = new Scene();
    for (const length of [0, 1, 3, 8, 23, 24, 61, 2000]) scene.hear(new Uint8Array(length).fill(0x81));
    assert.deepEqual([...scene.mapping.drops], [["malformed", 8]]);
  });
});
