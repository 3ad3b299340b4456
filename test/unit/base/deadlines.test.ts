import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../../src/base/deadlines.ts";

type Name = "ack" | "retransmit" | "keepalive";

test("next is the earliest deadline and moves when it is set, cleared or taken", () => {
  const deadlines = new Deadlines<Name>();
  assert.equal(deadlines.next(), undefined);
  deadlines.set("retransmit", 200);
  deadlines.set("ack", 100);
  assert.equal(deadlines.next(), 100);
  deadlines.set("ack", 300);
  assert.equal(deadlines.next(), 200);
  deadlines.clear("retransmit");
  assert.equal(deadlines.next(), 300);
  assert.equal(deadlines.takeExpired(300), "ack");
  assert.equal(deadlines.next(), undefined);
});

test("at tells a deadline or that there is none", () => {
  const deadlines = new Deadlines<Name>();
  assert.equal(deadlines.at("ack"), undefined);
  deadlines.set("ack", 0);
  assert.equal(deadlines.at("ack"), 0);
  deadlines.clear("ack");
  deadlines.clear("ack");
  assert.equal(deadlines.at("ack"), undefined);
});

test("what has expired is taken once, the earliest first, and what is not due stays", () => {
  const deadlines = new Deadlines<Name>();
  deadlines.set("keepalive", 30);
  deadlines.set("ack", 20);
  deadlines.set("retransmit", 10);
  assert.equal(deadlines.takeExpired(9.999), undefined);
  assert.equal(deadlines.takeExpired(20), "retransmit");
  assert.equal(deadlines.takeExpired(20), "ack");
  assert.equal(deadlines.takeExpired(20), undefined);
  assert.equal(deadlines.takeExpired(30), "keepalive", "exactly at its instant");
  assert.equal(deadlines.takeExpired(Number.POSITIVE_INFINITY), undefined);
});

test("deadlines of one instant are all taken, in the order they were set", () => {
  const deadlines = new Deadlines<Name>();
  deadlines.set("keepalive", 10);
  deadlines.set("ack", 10);
  deadlines.set("retransmit", 10);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => deadlines.takeExpired(10)),
    ["keepalive", "ack", "retransmit", undefined],
  );
});

test("a deadline set anew while expired ones are taken is not due before its instant", () => {
  const deadlines = new Deadlines<Name>();
  deadlines.set("ack", 10);
  assert.equal(deadlines.takeExpired(15), "ack");
  deadlines.set("ack", 25);
  assert.equal(deadlines.takeExpired(15), undefined);
  assert.equal(deadlines.takeExpired(25), "ack");
});

test("a deadline may be now, in the past, or never", () => {
  const deadlines = new Deadlines<Name>();
  deadlines.set("ack", Number.NEGATIVE_INFINITY);
  deadlines.set("keepalive", Number.POSITIVE_INFINITY);
  assert.equal(deadlines.takeExpired(0), "ack");
  assert.equal(deadlines.takeExpired(1e15), undefined);
  assert.equal(deadlines.next(), Number.POSITIVE_INFINITY);
  deadlines.clearAll();
  assert.equal(deadlines.next(), undefined);
});
