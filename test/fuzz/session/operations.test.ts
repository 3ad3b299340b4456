import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { randomRuns } from "../../kit/random-runs.ts";
import { type End, splitting, Wire } from "../../sim/session/wire.ts";

/** What an application, or the pipe below, may do at one end. */
type Operation =
  | { readonly do: "write"; readonly size: number }
  | { readonly do: "end" | "leave" | "reset" | "pause" | "resume" | "ping" | "message" | "block" | "unblock" }
  | { readonly do: "wait"; readonly ms: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("write" as const), size: fc.nat(2000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("write" as const), size: fc.nat(300_000) }) },
  { weight: 3, arbitrary: fc.constantFrom({ do: "pause" as const }, { do: "resume" as const }) },
  { weight: 2, arbitrary: fc.constantFrom({ do: "block" as const }, { do: "unblock" as const }) },
  { weight: 2, arbitrary: fc.constantFrom({ do: "ping" as const }, { do: "message" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(30_000) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ do: "end" as const }, { do: "leave" as const }, { do: "reset" as const }),
  },
);

/** What everybody writes, over and over. */
const PATTERN = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const ENDLESS = Buffer.alloc(600_000, PATTERN);

/** One end together with what its application has written. */
class Side {
  readonly end: End;
  readonly #wire: Wire;
  #written = 0;
  ended = false;
  broken = false;

  constructor(end: End, wire: Wire) {
    this.end = end;
    this.#wire = wire;
  }

  get written(): number {
    return this.#written;
  }

  play(operation: Operation): void {
    const { engine } = this.end;
    switch (operation.do) {
      case "write":
        if (!this.ended && !this.broken && !this.end.closed) this.#write(operation.size);
        return;
      case "wait":
        this.#wire.pass(operation.ms);
        return;
      case "block":
      case "unblock":
        this.end.blocked = operation.do === "block";
        this.end.do(() => {
          engine.blocked = this.end.blocked;
        });
        return;
      case "message":
        this.end.do(() => engine.sendMessage({ channel: 1, body: new Uint8Array(10) }));
        return;
      default:
        this.#close(operation.do);
    }
  }

  #write(size: number): void {
    const from = this.#written % PATTERN.length;
    const chunk = Uint8Array.from(ENDLESS.subarray(from, from + size));
    this.#written += size;
    this.end.do((engine) => {
      engine.write(chunk);
      // A writer may use its memory again after true.
      if (engine.mayWrite()) chunk.fill(255);
    });
  }

  #close(way: "end" | "leave" | "reset" | "pause" | "resume" | "ping"): void {
    if (way === "end") this.ended = true;
    if (way === "leave" || way === "reset") this.broken = true;
    this.end.do((engine, now) => {
      if (way === "leave") engine.leave(now);
      else if (way === "reset") engine.reset(new Error("enough"));
      else if (!this.broken || way !== "resume") engine[way]();
    });
  }

  /** Every byte that has come is right and in its place. */
  check(from: Side): void {
    const { received } = this.end;
    assert.ok(received.length <= from.written);
    assert.ok(Buffer.alloc(received.length, PATTERN).equals(received), "every byte is right");
  }

  /** Nothing is left of a session that was never broken. */
  checkClosed(from: Side, broken: boolean): void {
    const { closed, events, error, received } = this.end;
    assert.ok(closed, "it is closed");
    assert.equal(events.filter((event) => event === "closed").length, 1);
    if (broken) return;
    assert.equal(error, undefined);
    assert.equal(received.length, from.written);
  }
}

it("whatever both ends do, every byte is right, and all comes to an end", () => {
  const script = fc.array(fc.tuple(fc.boolean(), operation), { maxLength: 40 });
  const property = fc.property(fc.nat(1000), fc.constantFrom(0, 20), script, (seed, latency, steps) => {
    const wire = new Wire({ seed, latency }).open();
    wire.pass(100);
    wire.intercept = splitting(wire.random);
    const [near, far] = [new Side(wire.near, wire), new Side(wire.far, wire)];
    for (const [first, step] of steps) (first ? near : far).play(step);
    for (const side of [near, far]) {
      for (const last of ["unblock", "resume", "end"] as const) side.play({ do: last });
    }
    wire.pass(200_000);
    const broken = near.broken || far.broken;
    near.check(far);
    far.check(near);
    near.checkClosed(far, broken);
    far.checkClosed(near, broken);
    assert.equal(wire.clock.armed, 0);
  });
  fc.assert(property, randomRuns(2000));
});
