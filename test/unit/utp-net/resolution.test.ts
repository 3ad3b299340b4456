import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { resolveHost } from "../../../src/utp-net/resolution.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const BOTH = ["2001:db8::1", "192.0.2.1"];

/** A runtime that knows one name and notes what it is asked. */
function knowing(addresses: readonly string[], asked: string[] = []): Runtime {
  const lookup = async (name: string): Promise<readonly string[]> => {
    asked.push(name);
    return addresses;
  };
  return { ...simulatedRuntime(new VirtualClock()), lookup };
}

describe("a host", () => {
  test("that is a literal is itself in canonical form, and nobody is asked", async () => {
    const asked: string[] = [];
    const runtime = knowing(BOTH, asked);
    assert.equal(await resolveHost("192.0.2.9", 0, runtime), "192.0.2.9");
    assert.equal(await resolveHost("2001:DB8:0::1", 6, runtime), "2001:db8::1");
    assert.equal(await resolveHost("::ffff:192.0.2.9", 4, runtime), "192.0.2.9");
    assert.deepEqual(asked, []);
  });

  test("that is a literal of the other family is EAFNOSUPPORT", async () => {
    await assert.rejects(resolveHost("::1", 4, knowing(BOTH)), { code: "EAFNOSUPPORT", address: "::1" });
    await assert.rejects(resolveHost("127.0.0.1", 6, knowing(BOTH)), { code: "EAFNOSUPPORT" });
  });

  test("that is localhost is loopback, and nobody is asked", async () => {
    const asked: string[] = [];
    for (const name of ["localhost", "LocalHost"]) {
      assert.equal(await resolveHost(name, 0, knowing(BOTH, asked)), "127.0.0.1");
      assert.equal(await resolveHost(name, 4, knowing(BOTH, asked)), "127.0.0.1");
      assert.equal(await resolveHost(name, 6, knowing(BOTH, asked)), "::1");
    }
    assert.deepEqual(asked, []);
  });

  test("that is a name is its address of the family, IPv4 where either will do", async () => {
    assert.equal(await resolveHost("two.test", 0, knowing(BOTH)), "192.0.2.1");
    assert.equal(await resolveHost("two.test", 4, knowing(BOTH)), "192.0.2.1");
    assert.equal(await resolveHost("two.test", 6, knowing(BOTH)), "2001:db8::1");
    assert.equal(await resolveHost("six.test", 0, knowing(["2001:db8::1"])), "2001:db8::1");
  });

  test("without an address of the family is ENOTFOUND", async () => {
    const code = "ENOTFOUND";
    await assert.rejects(resolveHost("six.test", 4, knowing(["2001:db8::1"])), { code, address: "six.test" });
    await assert.rejects(resolveHost("four.test", 6, knowing(["192.0.2.1"])), { code });
    await assert.rejects(resolveHost("none.test", 0, knowing([])), { code });
    await assert.rejects(resolveHost("odd.test", 0, knowing(["no address"])), { code });
  });

  test("where no names are known is ERR_1TP_UNSUPPORTED", async () => {
    const runtime = simulatedRuntime(new VirtualClock());
    await assert.rejects(resolveHost("any.test", 0, runtime), { code: "ERR_1TP_UNSUPPORTED" });
  });
});
