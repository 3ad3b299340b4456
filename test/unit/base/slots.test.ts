import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Slots } from "../../../src/base/slots.ts";

describe("slots", () => {
  it("are so many in all, and so many for one source", () => {
    const slots = new Slots(4, 2);
    const first = slots.take("192.0.2.1");
    assert.ok(first && slots.take("192.0.2.1"));
    assert.equal(slots.take("192.0.2.1"), undefined);
    assert.ok(slots.take("192.0.2.2") && slots.take("192.0.2.3"));
    assert.equal(slots.take("192.0.2.4"), undefined);
    first();
    first();
    assert.ok(slots.take("192.0.2.1"));
    assert.equal(slots.take("192.0.2.5"), undefined);
  });

  it("count a network of IPv6 as one source, and who is seen nowhere in all alone", () => {
    const slots = new Slots(4, 1);
    assert.ok(slots.take("2001:db8::1"));
    assert.equal(slots.take("2001:db8::2"), undefined);
    assert.ok(slots.take("2001:db8:0:1::2"));
    assert.ok(slots.take(undefined) && slots.take(undefined));
    assert.equal(slots.take(undefined), undefined);
  });
});
