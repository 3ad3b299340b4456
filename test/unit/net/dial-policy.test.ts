import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IpScope } from "../../../src/base/ip.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import { checkDialPolicy, type DialPolicy, mayDial } from "../../../src/net/dial-policy.ts";

const ADDRESSES: Readonly<Record<IpScope, readonly string[]>> = {
  unspecified: ["0.0.0.0", "::", "::ffff:0.0.0.0"],
  loopback: ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"],
  "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"],
  private: ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"],
  public: ["8.8.8.8", "2600::1", "172.32.0.1"],
  multicast: ["224.0.0.1", "ff02::1"],
  reserved: ["192.0.2.1", "255.255.255.255", "2001:db8::1"],
};
const SCOPES = Object.keys(ADDRESSES) as IpScope[];

function to(address: string): Endpoint {
  return { transportType: "tcp", transportInfo: { address, port: 80 } };
}

/** The scopes whose addresses may be dialled; says so if addresses of one scope differ. */
function allowed(policy: DialPolicy | undefined): IpScope[] {
  return SCOPES.filter((scope) => {
    const verdicts = new Set(ADDRESSES[scope].map((address) => mayDial(to(address), policy)));
    assert.equal(verdicts.size, 1, `addresses of scope ${scope} are treated alike`);
    return verdicts.has(true);
  });
}

describe("a dial policy", () => {
  it("that is absent or empty allows everything", () => {
    assert.deepEqual(allowed(undefined), SCOPES);
    assert.deepEqual(allowed({}), SCOPES);
    assert.deepEqual(allowed({ deny: [] }), SCOPES);
  });

  it("forbids what it denies", () => {
    for (const scope of SCOPES) {
      const others = SCOPES.filter((other) => other !== scope);
      assert.deepEqual(allowed({ deny: [scope] }), others);
    }
    assert.deepEqual(allowed({ deny: SCOPES }), []);
  });

  it("forbids what it does not allow", () => {
    for (const scope of SCOPES) assert.deepEqual(allowed({ allow: [scope] }), [scope]);
    assert.deepEqual(allowed({ allow: [] }), []);
  });

  it("denies rather than allows", () => {
    assert.deepEqual(allowed({ allow: ["public", "private"], deny: ["private", "loopback"] }), ["public"]);
  });

  it("has no say in entries that name no address literal", () => {
    const policy: DialPolicy = { allow: [], deny: SCOPES };
    for (const transportInfo of [
      {},
      { name: "x" },
      { address: 5 },
      { address: null },
      { address: "example.org" },
    ]) {
      assert.equal(mayDial({ transportType: "x", transportInfo }, policy), true);
    }
  });

  it("is checked when it is given", () => {
    for (const good of [undefined, {}, { allow: SCOPES, deny: SCOPES }, { allow: undefined }]) {
      assert.doesNotThrow(() => checkDialPolicy(good));
    }
    for (const wrong of [null, 5, "public", { allow: "public" }, { deny: null }, { deny: {} }]) {
      assert.throws(() => checkDialPolicy(wrong), { code: "ERR_INVALID_ARG_TYPE" });
    }
    for (const wrong of [
      { allowed: [] },
      ["public"],
      { deny: ["lan"] },
      { deny: [undefined] },
      { allow: [5] },
    ]) {
      assert.throws(() => checkDialPolicy(wrong), { code: "ERR_INVALID_ARG_VALUE" });
    }
  });
});
