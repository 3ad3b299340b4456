import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toBase64Url } from "../../../src/base/bytes.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { parseConnectionInfo } from "../../../src/net/connection-info.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { anyConnectionInfo } from "./any-connection-info.ts";

const KEY = toBase64Url(new Uint8Array(32).fill(7));
const OTHER_KEY = toBase64Url(new Uint8Array(32).fill(8));
const GOOD = { transportType: "tcp", transportInfo: { address: "10.0.0.1", port: 80 } };

/** The entries that are left of these, or the code of the refusal. */
function parsed(...entries: readonly unknown[]): unknown {
  try {
    return parseConnectionInfo(entries);
  } catch (error) {
    return codeOf(error);
  }
}

/** What is left of one transportInfo, or undefined if the entry is left out. */
function info(transportInfo: unknown): unknown {
  const endpoints = parseConnectionInfo([GOOD, { transportType: "x", transportInfo }]);
  return endpoints[1]?.transportInfo;
}

function assertPlain(value: unknown): void {
  if (value === null || typeof value === "boolean" || typeof value === "string") return;
  if (Number.isFinite(value)) return;
  assert.ok(typeof value === "object", `a ${typeof value} is not plain`);
  const prototype = Array.isArray(value) ? Array.prototype : Object.prototype;
  assert.equal(Object.getPrototypeOf(value), prototype);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (Array.isArray(value) && key === "length") continue;
    assert.ok("value" in property && property.enumerable, `${key} is a plain property`);
    assertPlain(property.value);
  }
}

describe("whatever a connectionInfo holds", () => {
  it("the result is plain, small, of one key and says the same after a way as JSON", () => {
    let accepted = 0;
    const check = (input: unknown) => {
      let endpoints: ReturnType<typeof parseConnectionInfo>;
      try {
        endpoints = parseConnectionInfo(input);
      } catch (error) {
        const expected = ["ERR_1TP_BAD_ADDRESS", "ERR_1TP_NO_TRANSPORT"];
        const isObject = typeof input === "object" && input !== null;
        assert.ok((isObject ? expected : ["ERR_INVALID_ARG_TYPE"]).includes(codeOf(error)!), `${error}`);
        return;
      }
      accepted += 1;
      assertPlain(endpoints);
      assert.ok(endpoints.length >= 1 && endpoints.length <= 256);
      const text = JSON.stringify(endpoints);
      assert.ok(text.length < endpoints.length * 50_000);
      assert.ok(new Set(endpoints.flatMap(({ publicKey }) => publicKey ?? [])).size <= 1);
      assert.equal(JSON.stringify(parseConnectionInfo(JSON.parse(text))), text);
    };
    fc.assert(fc.property(anyConnectionInfo, check), randomRuns(3_000));
    assert.ok(accepted > 300, `only ${accepted} inputs were accepted: they test nothing`);
  });

  it("the input is not changed", () => {
    const check = (input: unknown) => {
      const before = structuredClone(input);
      parsed(input);
      assert.deepEqual(input, before);
    };
    fc.assert(fc.property(fc.jsonValue(), check), randomRuns(300));
  });
});

describe("a connectionInfo", () => {
  it("that is neither an object nor an array is our own caller's mistake", () => {
    for (const input of [undefined, null, true, 5, "tcp", Symbol("s"), 5n, () => GOOD]) {
      assert.throws(() => parseConnectionInfo(input), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
    }
  });

  it("may be one entry alone", () => {
    assert.deepEqual(parseConnectionInfo(GOOD), [GOOD]);
  });

  it("that is empty offers no transport", () => {
    assert.equal(parsed(), "ERR_1TP_NO_TRANSPORT");
  });

  it("without a well-formed entry is refused", () => {
    for (const entry of [null, undefined, 5, "tcp", [], [GOOD], {}, new Map(), Buffer.from("abc")]) {
      assert.equal(parsed(entry), "ERR_1TP_BAD_ADDRESS");
    }
  });

  it("keeps its well-formed entries in order and loses the others", () => {
    const second = { ...GOOD, transportType: "udp" };
    assert.deepEqual(parsed(null, GOOD, { transportType: "tcp" }, second, "x"), [GOOD, second]);
    // biome-ignore lint/suspicious/noSparseArray: holes are what is tested
    assert.deepEqual(parseConnectionInfo([, GOOD, ,]), [GOOD]);
  });

  it("has at most 256 entries, well-formed or not", () => {
    assert.equal((parsed(...Array(256).fill(GOOD)) as unknown[]).length, 256);
    assert.equal(parsed(...Array(257).fill(GOOD)), "ERR_1TP_BAD_ADDRESS");
    assert.throws(() => parseConnectionInfo(Array(10_000).fill(null)), /10000 entries, at most 256/);
  });

  it("with two public keys is refused, whatever else it holds", () => {
    const one = { ...GOOD, publicKey: KEY };
    const other = { ...GOOD, publicKey: OTHER_KEY };
    assert.deepEqual(parsed(one, GOOD, one), [one, GOOD, one]);
    assert.equal(parsed(one, other), "ERR_1TP_BAD_ADDRESS");
    assert.equal(parsed(GOOD, one, GOOD, { ...other, transportType: "unknown" }), "ERR_1TP_BAD_ADDRESS");
  });
});

describe("an entry", () => {
  it("keeps the known fields and loses all others", () => {
    const entry = { ...GOOD, version: "1.0.0", publicKey: KEY, suite: "AESGCM" };
    assert.deepEqual(parsed({ ...entry, cost: 0, toJSON: null }), [entry]);
  });

  it("loses a version or suite that is no short printable word", () => {
    for (const wrong of [5, null, "", "x".repeat(65), "a b", "1.0\n", "\u001b[2J", {}]) {
      assert.deepEqual(parsed({ ...GOOD, version: wrong, suite: wrong }), [GOOD]);
    }
  });

  it("is left out if its type is no short printable word", () => {
    for (const transportType of [
      5,
      null,
      undefined,
      "",
      "x".repeat(65),
      "t c p",
      "tcp\n",
      "\u001b[2J",
      ["tcp"],
    ]) {
      assert.equal(parsed({ ...GOOD, transportType }), "ERR_1TP_BAD_ADDRESS");
    }
    assert.deepEqual(parsed({ ...GOOD, transportType: "x".repeat(64) }), [
      { ...GOOD, transportType: "x".repeat(64) },
    ]);
  });

  it("is left out if its key is not 32 bytes in canonical base64url", () => {
    const wrong = [
      5,
      null,
      "",
      KEY.slice(1),
      `${KEY}A`,
      `${KEY}=`,
      KEY.replace(/.$/, "d"),
      `+${KEY.slice(1)}`,
    ];
    for (const publicKey of wrong) assert.equal(parsed({ ...GOOD, publicKey }), "ERR_1TP_BAD_ADDRESS");
  });

  it("holds what JSON can say, undefined fields left out", () => {
    assert.deepEqual(info({ a: null, b: [true, "", 1.5, { c: [] }], d: undefined }), {
      a: null,
      b: [true, "", 1.5, { c: [] }],
    });
    for (const foreign of [Number.NaN, Infinity, 5n, Symbol("s"), () => 1]) {
      assert.equal(info({ foreign }), undefined);
      assert.equal(info({ list: [foreign] }), undefined);
    }
    assert.equal(info({ list: [undefined] }), undefined);
  });

  it("becomes plain where it is not", () => {
    class Address {
      port = 80;
      get address() {
        return "10.0.0.1";
      }
    }
    assert.deepEqual(info(new Address()), { port: 80 });
    assert.deepEqual(info(Object.assign(Object.create(null), { port: 80 })), { port: 80 });
    assert.deepEqual(info({ date: new Date(), map: new Map([[1, 2]]) }), { date: {}, map: {} });
    assertPlain(info(new Address()));
  });

  it("cannot reach a prototype", () => {
    const hostile = JSON.parse(
      `{"transportType":"x","transportInfo":{"__proto__":{"polluted":1},"a":{"__proto__":null,"constructor":{"prototype":2}}},
        "__proto__":{"version":"9"}}`,
    );
    const [endpoint] = parseConnectionInfo(hostile);
    assert.equal(endpoint?.transportInfo.polluted, undefined);
    assert.deepEqual(endpoint, {
      transportType: "x",
      transportInfo: { a: { constructor: { prototype: 2 } } },
    });
    assertPlain(endpoint);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  it("that throws when it is read is left out", () => {
    const throwing = {
      get transportType(): string {
        throw new Error("mine");
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    assert.deepEqual(parsed(throwing, GOOD, revoked.proxy), [GOOD]);
  });

  it("is read once, so that it cannot change its mind", () => {
    let reads = 0;
    const fickle = {
      transportType: "x",
      transportInfo: {
        get address() {
          reads += 1;
          return reads === 1 ? "10.0.0.1" : { toString: null };
        },
      },
    };
    assert.deepEqual(parsed(fickle), [{ transportType: "x", transportInfo: { address: "10.0.0.1" } }]);
    assert.equal(reads, 1);
  });

  it("that holds itself is left out", () => {
    const cycle: Record<string, unknown> = { transportType: "x" };
    cycle.transportInfo = { cycle };
    const list: unknown[] = [];
    list.push(list, list);
    assert.deepEqual(parsed(cycle, GOOD, { transportType: "x", transportInfo: { list } }), [GOOD]);
  });

  it("nests values in at most five levels of transportInfo", () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : { a: nest(levels - 1) });
    assert.deepEqual(info(nest(5)), nest(5));
    assert.equal(info(nest(6)), undefined);
    assert.equal(info(nest(5_000)), undefined);
  });

  it("has at most 4096 characters, in whatever they are", () => {
    assert.deepEqual(info({ a: "x".repeat(4_000) }), { a: "x".repeat(4_000) });
    assert.equal(info({ a: "x".repeat(4_096) }), undefined);
    assert.equal(info({ ["x".repeat(4_096)]: 1 }), undefined);
    assert.equal(info({ a: "x".repeat(10_000_000) }), undefined);
    assert.equal(info({ a: Array(300).fill(Math.PI) }), undefined);
    assert.equal(info({ a: Array(50).fill({ b: ["x".repeat(100)] }) }), undefined);
    const nothings = ["", null, 0, [], {}, false];
    for (const nothing of nothings) assert.equal(info({ a: Array(4_096).fill(nothing) }), undefined);
    assert.equal(info(Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [i, ""]))), undefined);
  });
});
