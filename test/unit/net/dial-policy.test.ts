import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemError } from "../../../src/base/errors.ts";
import type { IpScope } from "../../../src/base/ip.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import {
  checkDialPolicy,
  checkReach,
  type DialPolicy,
  mayDial,
  peerHostRule,
} from "../../../src/net/dial-policy.ts";

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

  it("holds for the host of a URL, however that writes its address", () => {
    const local = [
      "127.0.0.1",
      "127.1",
      "0x7f.1",
      "2130706433",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "localhost",
      "a.LOCALHOST.",
    ];
    for (const host of local) {
      for (const scheme of ["ws", "wss", "http", "https"]) {
        const entry = { transportType: "x", transportInfo: { url: `${scheme}://u:p@${host}:80/path` } };
        assert.equal(mayDial(entry, { deny: ["loopback"] }), false, entry.transportInfo.url);
        assert.equal(mayDial(entry, { allow: ["loopback"] }), true, entry.transportInfo.url);
      }
    }
  });

  it("leaves names to the look-up, and what is no URL to others", () => {
    for (const url of ["ws://signal.example.org", "ws://127.0.0.1.example.org", "//127.0.0.1", "", 5, null]) {
      const entry = { transportType: "x", transportInfo: { url } };
      assert.equal(mayDial(entry, { deny: SCOPES }), true, String(url));
    }
  });

  it("asks for every address of a registrar's name", async () => {
    const hosts: Record<string, string[]> = { out: ["8.8.8.8", "2600::1"], in: ["8.8.8.8", "10.0.0.1"] };
    const asked: string[] = [];
    const lookup = async (name: string): Promise<string[]> => {
      asked.push(name);
      const addresses = hosts[name];
      if (!addresses) throw systemError("ENOTFOUND", "lookup");
      return addresses;
    };
    const policy: DialPolicy = { deny: ["private"] };
    await checkReach({ url: "wss://out:8080" }, policy, lookup);
    await checkReach({ uid: "no url" }, policy, lookup);
    await checkReach({ url: "ws://8.8.8.8" }, policy, lookup);
    await assert.rejects(checkReach({ url: "ws://10.1.2.3" }, policy, lookup), {
      code: "ERR_1TP_BAD_ADDRESS",
    });
    await assert.rejects(checkReach({ url: "wss://in" }, policy, lookup), {
      code: "ERR_1TP_BAD_ADDRESS",
    });
    await assert.rejects(checkReach({ url: "wss://nowhere" }, policy, lookup), { code: "ENOTFOUND" });
    assert.deepEqual(asked, ["out", "in", "nowhere"]);
  });

  it("lets a proxy look up names, and judges what needs no look-up", async () => {
    const policy: DialPolicy = { deny: ["private", "loopback"] };
    await checkReach({ url: "wss://nowhere" }, policy, undefined);
    for (const url of ["ws://10.1.2.3", "ws://localhost"]) {
      await assert.rejects(checkReach({ url }, policy, undefined), { code: "ERR_1TP_BAD_ADDRESS" });
    }
    const named = (address: string) => ({ transportType: "tcp", transportInfo: { address, port: 80 } });
    assert.equal(mayDial(named("localhost"), policy), false);
    assert.equal(mayDial(named("Here.LocalHost"), policy), false);
    assert.equal(mayDial(named("example.org"), policy), true);
  });

  it("holds for what a peer names in a dialog, and allows no name that nobody looks up", () => {
    assert.equal(peerHostRule(undefined), undefined);
    for (const scope of SCOPES) {
      const rule = peerHostRule({ deny: [scope] });
      for (const other of SCOPES) {
        for (const address of ADDRESSES[other]) assert.equal(rule?.(address), other !== scope, address);
      }
    }
    const named = (name: string, policy: DialPolicy) => peerHostRule(policy)?.(name);
    for (const name of ["8d1b.local", "8D1B.LOCAL"]) {
      assert.equal(named(name, { deny: ["loopback"] }), true);
      assert.equal(named(name, { deny: ["private"] }), false);
      assert.equal(named(name, { deny: ["link-local"] }), false);
      assert.equal(named(name, { allow: ["public"] }), false);
    }
    assert.equal(named("localhost", { deny: ["loopback"] }), false);
    for (const name of ["example.org", "", "10.1", "0x7f000001"]) assert.equal(named(name, {}), false, name);
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
