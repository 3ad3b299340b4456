import assert from "node:assert/strict";
import { test } from "node:test";
import { behaviourFrom, type Sighting } from "../../../src/nat/sighting.ts";

/** Sightings of a socket with port 4000: `[server IP, server port, mapped port]`. */
function seen(...rows: readonly (readonly [string, number, number])[]) {
  const sightings: Sighting[] = rows.map(([address, port, mapped]) => ({
    server: { address, port },
    local: 4000,
    mapped: { address: "5.0.0.1", port: mapped },
  }));
  return behaviourFrom(sightings);
}

test("one sighting says whether the port is kept, and nothing of the mapping", () => {
  assert.deepEqual(seen(), {});
  assert.deepEqual(seen(["s", 1, 9000]), {});
  assert.deepEqual(seen(["s", 1, 4000]), { ports: "preserving" });
});

test("two IPs that agree make a mapping endpoint-independent, two ports of one IP nothing", () => {
  assert.deepEqual(seen(["s", 1, 9000], ["t", 1, 9000]), { mapping: "endpoint-independent" });
  assert.deepEqual(seen(["s", 1, 9000], ["s", 2, 9000]), {});
});

test("who disagrees tells what matters, as far as can be told", () => {
  assert.equal(seen(["s", 1, 9000], ["s", 2, 7000]).mapping, "address-and-port-dependent");
  assert.equal(seen(["s", 1, 9000], ["t", 1, 7000]).mapping, "dependent");
  assert.equal(seen(["s", 1, 9000], ["s", 2, 9000], ["t", 1, 7000]).mapping, "address-dependent");
});

test("ports that follow each other make a step, others are random", () => {
  assert.equal(seen(["s", 1, 9000], ["t", 1, 9001]).ports, 1);
  assert.equal(seen(["s", 1, 9000], ["t", 1, 9002], ["u", 1, 9004]).ports, 2);
  assert.equal(seen(["s", 1, 9004], ["t", 1, 9001]).ports, -3);
  assert.equal(seen(["s", 1, 9000], ["t", 1, 9001], ["u", 1, 9003]).ports, "random");
  assert.equal(seen(["s", 1, 9000], ["t", 1, 200]).ports, "random");
  assert.equal(seen(["s", 1, 4000], ["t", 1, 9000]).ports, "preserving");
});
