import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { randomRuns } from "../../kit/random-runs.ts";
import { addressOf, GATEWAY, mapped, Scene } from "../../unit/nat/gateway/scene.ts";

const seconds = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constant(0xffffffff));
const outer = fc.record({ address: fc.ipV4(), port: fc.integer({ min: 0, max: 65_535 }) });

/** What a gateway may say that means no good, or is none. */
const operation = fc.oneof(
  fc.record({ do: fc.constant("bytes" as const), data: fc.uint8Array({ maxLength: 80 }) }),
  fc.record({
    do: fc.constant("answer" as const),
    pcp: fc.boolean(),
    epoch: seconds,
    lifetime: seconds,
    outer,
    flip: fc.option(fc.record({ at: fc.nat(59), value: fc.nat(255) })),
  }),
  fc.record({ do: fc.constant("address" as const), address: fc.ipV4(), epoch: seconds }),
  fc.record({ do: fc.constant("refuse" as const) }),
  fc.record({ do: fc.constant("close" as const) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 900_000 }) }),
);

type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

function play(scene: Scene, step: Operation): void {
  if (step.do === "bytes") scene.hear(step.data);
  else if (step.do === "address") scene.hear(addressOf(step.address, step.epoch));
  else if (step.do === "refuse") scene.refuse();
  else if (step.do === "close") scene.close();
  else if (step.do === "pass") scene.pass(step.ms);
  else {
    const { pcp, flip, epoch, lifetime, outer } = step;
    const data = mapped({ epoch, lifetime, outer, ...(pcp && { nonce: scene.nonce }) });
    scene.hear(flip && flip.at < data.length ? data.with(flip.at, flip.value) : data);
  }
}

describe("a gateway that says anything", () => {
  it("has a mapping send little, to that gateway alone, and end for good", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (steps) => {
        const scene = new Scene();
        for (const step of steps) play(scene, step);
        // Two for an answer, one to begin with, and one every four seconds are more than it may send unasked.
        const limit = 2 * steps.length + 10 + scene.now / 4000;
        assert.ok(scene.sent.length <= limit, `${scene.sent.length} datagrams to ${GATEWAY.address}`);
        scene.close();
        scene.pass(1750);
        assert.equal(scene.mapping.pollTimeout(), undefined);
        assert.equal(scene.events.filter(({ type }) => type === "closed").length, 1);
        assert.equal(scene.events.at(-1)!.type, "closed");
      }),
      randomRuns(2000),
    );
  });
});
