import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkListeningInfo } from "../../../src/net/listening-info.ts";

const TCP = { transportType: "tcp", transportInfo: { address: "0.0.0.0", port: 80 } };
const UDP = { transportType: "udp", transportInfo: {} };

/** A wish for this address and port. */
function wish(transportInfo: object) {
  return [TCP, { transportType: "tcp", transportInfo }];
}

describe("a listeningInfo", () => {
  it("that is absent wishes for nothing", () => {
    for (const nothing of [undefined, null, [], [null], [undefined, null]]) {
      assert.deepEqual(checkListeningInfo(nothing), []);
    }
  });

  it("is one entry or an array of them, null ones passed over", () => {
    assert.deepEqual(checkListeningInfo(TCP), [TCP]);
    assert.deepEqual(checkListeningInfo([null, TCP, undefined, UDP]), [TCP, UDP]);
  });

  it("may come from address(), whose further fields do no harm", () => {
    const old = { ...TCP, version: "1.0.0", more: true };
    assert.deepEqual(checkListeningInfo([old]), [{ ...TCP, version: "1.0.0" }]);
  });

  it("may leave address and port open", () => {
    for (const open of [
      {},
      { address: null, port: null },
      { address: undefined, port: undefined },
      { port: 0 },
    ]) {
      assert.equal(checkListeningInfo(wish(open)).length, 2);
    }
    assert.equal(checkListeningInfo(wish({ port: "8080", address: "localhost" })).length, 2);
  });

  it("of a wrong type is a mistake", () => {
    for (const wrong of [5, "tcp", true, () => TCP, [5], ["tcp"], [[TCP]], {}, { transportType: "tcp" }]) {
      assert.throws(() => checkListeningInfo(wrong), { code: "ERR_INVALID_ARG_TYPE" });
    }
    for (const address of [5, {}, [], true]) {
      assert.throws(() => checkListeningInfo(wish({ address })), {
        code: "ERR_INVALID_ARG_TYPE",
        message: /"listeningInfo\[1\]\.transportInfo\.address" property must be of type string/,
      });
    }
  });

  it("with a port that is none is a mistake", () => {
    for (const port of [-1, 65_536, 1.5, Number.NaN, Infinity, "x", "", {}, [], true, 5n]) {
      assert.throws(() => checkListeningInfo(wish({ port })), {
        code: "ERR_SOCKET_BAD_PORT",
        message: /^listeningInfo\[1\]\.transportInfo\.port should be >= 0 and < 65536/,
      });
    }
  });
});
