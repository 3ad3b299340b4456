import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Outbox } from "../../../signaling/registrar/outbox.ts";

/** A frame of so many messages of ten bytes, each of which says whose it is. */
function frame(dialog: number, messages = 1): Uint8Array[] {
  return Array.from({ length: messages }, () => new Uint8Array(10).fill(dialog));
}

/** Whose messages come out, one letter each, until `room` of them have been taken. */
function taken(outbox: Outbox, room = Number.POSITIVE_INFINITY): string {
  let seen = "";
  outbox.flush((message) => {
    if (seen.length >= room) return false;
    seen += "-abcdef"[message[0]!];
    return true;
  });
  return seen;
}

describe("an outbox", () => {
  it("keeps the order of what belongs to one dialog", () => {
    const outbox = new Outbox();
    const numbers: number[] = [];
    for (let i = 0; i < 5; i++) outbox.push([Uint8Array.of(i)], 1);
    outbox.flush((message) => numbers.push(message[0]!) > 0);
    assert.deepEqual(numbers, [0, 1, 2, 3, 4]);
  });

  it("gives each dialog its turn, so that a flood holds up no other", () => {
    const outbox = new Outbox();
    for (let i = 0; i < 6; i++) outbox.push(frame(1), 1);
    outbox.push(frame(2), 2);
    outbox.push(frame(0));
    outbox.push(frame(3), 3);
    outbox.push(frame(2), 2);
    assert.equal(taken(outbox), "ab-cabaaaa");
    assert.equal(outbox.size, 0);
  });

  it("does not interrupt a frame", () => {
    const outbox = new Outbox();
    outbox.push(frame(1, 3), 1);
    outbox.push(frame(2, 2), 2);
    assert.equal(taken(outbox, 2), "aa");
    outbox.push(frame(3), 3);
    assert.equal(taken(outbox), "abbc");
  });

  it("counts the bytes that wait", () => {
    const outbox = new Outbox();
    outbox.push(frame(1, 3), 1);
    outbox.push(frame(2), 2);
    assert.equal(outbox.size, 40);
    taken(outbox, 2);
    assert.equal(outbox.size, 20);
    taken(outbox);
    assert.equal(outbox.size, 0);
  });

  it("drops what waits of the largest dialog, but neither a frame half sent nor what belongs to none", () => {
    const outbox = new Outbox();
    outbox.push(frame(1, 2), 1);
    taken(outbox, 1);
    for (let i = 0; i < 9; i++) outbox.push(frame(0));
    for (let i = 0; i < 30; i++) outbox.push(frame(1), 1);
    for (let i = 0; i < 26; i++) outbox.push(frame(2), 2);
    assert.equal(outbox.dropLargest(), 1);
    assert.equal(outbox.dropLargest(), 2);
    assert.equal(outbox.dropLargest(), undefined);
    assert.equal(outbox.size, 100);
    assert.equal(taken(outbox), `a${"-".repeat(9)}`);
    outbox.push(frame(1), 1);
    assert.equal(taken(outbox), "a");
  });

  it("drops no dialog that has less than what saying so takes", () => {
    const outbox = new Outbox<string>();
    outbox.push(["x".repeat(255)], 1);
    outbox.push(["x".repeat(10_000)]);
    assert.equal(outbox.dropLargest(), undefined);
    outbox.push(["x"], 1);
    assert.equal(outbox.dropLargest(), 1);
  });
});
