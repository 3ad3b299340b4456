import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../../src/base/bytes.ts";
import { natPmpAddressRequest, natPmpMapRequest, readNatPmp } from "../../../../src/nat/gateway/nat-pmp.ts";
import { pcpMapRequest, readPcp } from "../../../../src/nat/gateway/pcp.ts";
import { CLIENT, hex, OUTER, PORT } from "./scene.ts";

const NONCE = hex("0102030405060708090a0b0c");
const REQUEST = { client: CLIENT, nonce: NONCE, inner: PORT, lifetime: 1200 };

/** As miniupnpd 2.3.1 has said it. */
const PCP_MAPPED = `02810000 000004b0 00000002 000000000000000000000000
  0102030405060708090a0b0c 11000000 9c411388 00000000000000000000ffff05000902`;
const PCP_WRONG_VERSION = `02810001 00000000 00000003 000000000000000000000000
  0102030405060708090a0b0c 11000000 00000000 00000000000000000000ffff00000000`;
const PMP_ADDRESS = "00800000 00000003 05000902";
const PMP_MAPPED = "00810000 00000003 9c411388 000004b0";

describe("PCP", () => {
  it("asks for a mapping as RFC 6887 §11.1 has it, and miniupnpd takes it", () => {
    const request = pcpMapRequest({ ...REQUEST, outer: OUTER });
    const expected = `02010000 000004b0 00000000000000000000ffffc0a80102
      0102030405060708090a0b0c 11000000 9c411388 00000000000000000000ffff05000902`;
    assert.equal(toHex(request), toHex(hex(expected)));
  });

  it("ends one with a lifetime of 0, and suggests nothing then", () => {
    const request = pcpMapRequest({ ...REQUEST, lifetime: 0, outer: OUTER });
    const expected = `02010000 00000000 00000000000000000000ffffc0a80102
      0102030405060708090a0b0c 11000000 9c410000 00000000000000000000ffff00000000`;
    assert.equal(toHex(request), toHex(hex(expected)));
  });

  it("reads what a server says", () => {
    const lease = { type: "mapped", epoch: 2, nonce: NONCE, inner: PORT, ...OUTER, lifetime: 1200 };
    assert.deepEqual(readPcp(hex(PCP_MAPPED)), lease);
    assert.deepEqual(readPcp(hex(PCP_WRONG_VERSION)), { type: "unsupported" });
    assert.deepEqual(readPcp(hex(`02800000 00000000 0000000a ${"00".repeat(12)}`)), {
      type: "announced",
      epoch: 10,
    });
    assert.deepEqual(readPcp(hex(PCP_MAPPED.replace("02810000 000004b0", "02810008 0000001e"))), {
      type: "refused",
      code: 8,
      pause: 30,
    });
  });

  it("takes nothing for an answer that is none", () => {
    const good = hex(PCP_MAPPED);
    for (let length = 0; length < good.length; length++) {
      assert.equal(readPcp(good.subarray(0, length)), undefined, `${length} octets`);
    }
    const wrong = [
      [0, 1], // another version
      [1, 0x01], // a request
      [1, 0x82], // PEER
      [36, 6], // TCP
    ] as const;
    for (const [at, value] of wrong) assert.equal(readPcp(good.with(at, value)), undefined, `${at}`);
    assert.equal(readPcp(new Uint8Array(1104).fill(0x81)), undefined);
  });
});

describe("NAT-PMP", () => {
  it("asks as RFC 6886 §3.2 and §3.3 have it", () => {
    assert.equal(toHex(natPmpAddressRequest()), "0000");
    assert.equal(toHex(natPmpMapRequest({ ...REQUEST, outer: OUTER })), "000100009c411388000004b0");
    assert.equal(
      toHex(natPmpMapRequest({ ...REQUEST, outer: OUTER, lifetime: 0 })),
      "000100009c41000000000000",
    );
  });

  it("reads what a gateway says", () => {
    assert.deepEqual(readNatPmp(hex(PMP_ADDRESS)), { type: "address", epoch: 3, address: OUTER.address });
    const lease = { type: "mapped", epoch: 3, inner: PORT, port: OUTER.port, lifetime: 1200 };
    assert.deepEqual(readNatPmp(hex(PMP_MAPPED)), lease);
    assert.deepEqual(readNatPmp(hex("00810001 00000003")), { type: "unsupported" });
    assert.deepEqual(readNatPmp(hex("00810002 00000003")), { type: "refused", code: 2 });
  });

  it("takes nothing for an answer that is none", () => {
    for (const good of [hex(PMP_ADDRESS), hex(PMP_MAPPED)]) {
      for (let length = 0; length < good.length; length++) {
        assert.equal(readNatPmp(good.subarray(0, length)), undefined, `${length} octets`);
      }
      assert.equal(readNatPmp(good.with(0, 1)), undefined);
      assert.equal(readNatPmp(good.with(1, good[1]! & 0x7f)), undefined);
      assert.equal(readNatPmp(good.with(1, 0x82)), undefined);
    }
  });
});
