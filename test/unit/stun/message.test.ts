import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import {
  ALTERNATE_SERVER,
  MAPPED_ADDRESS,
  OTHER_ADDRESS,
  XOR_MAPPED_ADDRESS,
} from "../../../src/stun/addresses.ts";
import { type AttributeKind, flag, makeMessage, opaque, uint32 } from "../../../src/stun/attribute.ts";
import { CHANGE_REQUEST, RESPONSE_PORT } from "../../../src/stun/behaviour.ts";
import { ERROR_CODE, UNKNOWN_ATTRIBUTES } from "../../../src/stun/errors.ts";
import { fingerprintOf } from "../../../src/stun/fingerprint.ts";
import { sealMessage } from "../../../src/stun/integrity.ts";
import { KNOWN_ATTRIBUTES } from "../../../src/stun/known-attributes.ts";
import {
  classOf,
  decodeMessage,
  encodeMessage,
  looksLikeStun,
  unknownRequired,
} from "../../../src/stun/message.ts";
import { PASSWORD_ALGORITHM } from "../../../src/stun/secrets.ts";
import { NONCE, SOFTWARE, USERNAME } from "../../../src/stun/texts.ts";
import { decoded } from "./exchange.ts";

const ID = fromHex("0102030405060708090a0b0c")!;
const EMPTY_REQUEST = encodeMessage(makeMessage("request", 1, ID));

/** A Binding request whose attributes are those bytes. */
function withBody(hex: string): Uint8Array {
  const body = fromHex(hex.replaceAll(" ", ""))!;
  const bytes = Uint8Array.of(...EMPTY_REQUEST, ...body);
  bytes[3] = body.length;
  return bytes;
}

describe("a message", () => {
  it("has its class and method interleaved in 14 bits", () => {
    const types = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;
    for (const [kind, type] of Object.entries(types)) {
      const bytes = encodeMessage(makeMessage(kind as keyof typeof types, 1, ID));
      assert.equal((bytes[0]! << 8) | bytes[1]!, type);
      assert.equal(classOf(bytes), kind);
    }
    for (let method = 0; method < 0x1000; method += 7) {
      const message = decoded(encodeMessage(makeMessage("error", method, ID)));
      assert.deepEqual([message.method, message.class], [method, "error"]);
    }
  });

  it("is none with a wrong length, cookie or type", () => {
    assert.equal(looksLikeStun(EMPTY_REQUEST), true);
    const cases: [string, Uint8Array][] = [
      ["short", EMPTY_REQUEST.subarray(0, 19)],
      ["short", new Uint8Array(0)],
      ["type", EMPTY_REQUEST.with(0, 0x40)],
      ["cookie", EMPTY_REQUEST.with(7, 0x43)],
      ["length", EMPTY_REQUEST.with(3, 4)],
      ["length", EMPTY_REQUEST.with(3, 1)],
      ["length", Uint8Array.of(...EMPTY_REQUEST, 0)],
    ];
    for (const [defect, bytes] of cases) {
      assert.equal(decodeMessage(bytes), defect);
      assert.equal(looksLikeStun(bytes), false);
    }
  });

  it("is none with an attribute that goes past its end", () => {
    for (const body of ["80220005 61626364", "8022ffff 61626364", "80220001 61000000 8022 0001"]) {
      assert.equal(decodeMessage(withBody(body)), "attribute", body);
    }
  });

  it("is none with more than 64 attributes", () => {
    assert.equal(decoded(withBody("80000000".repeat(62))).attributes.length, 62);
    const many = Array.from({ length: 65 }, () => flag(0x8000).of(true));
    assert.equal(decodeMessage(encodeMessage(makeMessage("request", 1, ID, many))), "crowded");
  });

  it("has its fingerprint at the end, or is none", () => {
    const sealed = sealMessage(makeMessage("request", 1, ID), undefined, true);
    assert.equal(decoded(sealed).attributes.length, 1);
    const followed = Uint8Array.of(...sealed, 0x80, 0x22, 0, 0);
    followed[3] = followed.length - 20;
    assert.equal(decodeMessage(followed), "fingerprint");
    assert.equal(decodeMessage(withBody("80280002 00000000")), "fingerprint");
  });

  it("leaves out what integrity does not cover", () => {
    const [sha1, sha256] = [`00080014${"11".repeat(20)}`, `001c0020${"22".repeat(32)}`];
    const types = (body: string): number[] => decoded(withBody(body)).attributes.map(({ type }) => type);
    assert.deepEqual(types(`80220000${sha1}80230000`), [0x8022, 0x0008]);
    assert.deepEqual(types(`${sha1}${sha256}80230000${sha1}`), [0x0008, 0x001c]);
    assert.deepEqual(types(`${sha256}${sha1}80220000`), [0x001c]);
  });

  it("names what it demands to be understood", () => {
    const message = decoded(withBody("7f000000 00010000 ff000000 7f000000 00190000"));
    assert.deepEqual(unknownRequired(message, KNOWN_ATTRIBUTES), [0x7f00, 0x0019]);
  });

  it("pads with zeros that do not count", () => {
    const bytes = encodeMessage(makeMessage("request", 1, ID, [SOFTWARE.of("12345")]));
    assert.equal(toHex(bytes.subarray(20)), "802200053132333435000000");
    assert.equal(SOFTWARE.in(decoded(withBody("80220005 3132333435 ffffff"))), "12345");
  });
});

describe("an attribute", () => {
  const readAs = <T>(kind: AttributeKind<T>, hex: string): T | undefined => {
    const value = fromHex(hex.replaceAll(" ", ""))!;
    return kind.in({
      class: "request",
      method: 1,
      transactionId: ID,
      attributes: [{ type: kind.type, value }],
    });
  };

  it("counts once: later ones of its type are passed over", () => {
    const message = makeMessage("request", 1, ID, [SOFTWARE.of("first"), SOFTWARE.of("second")]);
    assert.equal(SOFTWARE.in(message), "first");
    assert.deepEqual(
      [NONCE.in(message), NONCE.isIn(message), SOFTWARE.isIn(message)],
      [undefined, false, true],
    );
  });

  it("holds addresses of both families, plain and XORed", () => {
    for (const kind of [MAPPED_ADDRESS, XOR_MAPPED_ADDRESS, ALTERNATE_SERVER, OTHER_ADDRESS]) {
      for (const address of ["5.0.0.1", "2a01::1", "255.255.255.255"]) {
        const value = { address, port: 65_535 };
        assert.deepEqual(kind.in(makeMessage("success", 1, ID, [kind.of(value)])), value);
      }
    }
  });

  it("holds no address with another family, length or port", () => {
    for (const hex of ["", "0001", "0001000105000001 00", "0002000105000001", "0003000105000001"]) {
      assert.equal(readAs(MAPPED_ADDRESS, hex), undefined, hex);
    }
    assert.equal(readAs(MAPPED_ADDRESS, "0001 0000 05000001"), undefined);
    assert.deepEqual(readAs(MAPPED_ADDRESS, "ff01 0001 05000001"), { address: "5.0.0.1", port: 1 });
  });

  it("says an IPv4-mapped address as IPv4, whatever its sender makes of it", () => {
    const mapped = `0002 0050 ${"00".repeat(10)}ffff 7f000001`;
    assert.deepEqual(readAs(MAPPED_ADDRESS, mapped), { address: "127.0.0.1", port: 80 });
  });

  it("holds an error's code and its words, garbled or not", () => {
    assert.deepEqual(readAs(ERROR_CODE, "00000414 6869"), { code: 420, reason: "hi" });
    assert.deepEqual(readAs(ERROR_CODE, "fffffc63"), { code: 499, reason: "" });
    assert.deepEqual(readAs(ERROR_CODE, "00000401 ff"), { code: 401, reason: "" });
    for (const hex of ["000004", "00000200", "00000700", "00000464"]) {
      assert.equal(readAs(ERROR_CODE, hex), undefined, hex);
    }
  });

  it("lists what is not understood", () => {
    assert.deepEqual(readAs(UNKNOWN_ATTRIBUTES, "7f00 0019"), [0x7f00, 0x0019]);
    assert.equal(readAs(UNKNOWN_ATTRIBUTES, "7f00 00"), undefined);
  });

  it("holds text only if it is UTF-8 and not too long", () => {
    assert.equal(readAs(USERNAME, "c3a9"), "é");
    assert.equal(readAs(USERNAME, "c3"), undefined);
    assert.equal(readAs(USERNAME, "61".repeat(509)), undefined);
    assert.equal(readAs(NONCE, "efbbbf61"), "\ufeffa");
    assert.throws(() => makeMessage("request", 1, ID, [USERNAME.of("é".repeat(255))]), {
      code: "ERR_INVALID_ARG_VALUE",
    });
    assert.throws(() => makeMessage("request", 1, ID, [MAPPED_ADDRESS.of({ address: "host", port: 1 })]), {
      code: "ERR_INVALID_ARG_VALUE",
    });
  });

  it("holds numbers, flags and bytes of the right size", () => {
    assert.equal(readAs(uint32(1), "ffffffff"), 0xffffffff);
    assert.equal(readAs(uint32(1), "ffffff"), undefined);
    assert.equal(readAs(flag(1), ""), true);
    assert.equal(
      readAs(
        opaque(1, (length) => length === 2),
        "00",
      ),
      undefined,
    );
    assert.equal(readAs(RESPONSE_PORT, "1f90 0000"), 8080);
    assert.equal(readAs(RESPONSE_PORT, "0000 0000"), undefined);
    assert.deepEqual(readAs(CHANGE_REQUEST, "00000006"), { ip: true, port: true });
    assert.deepEqual(readAs(CHANGE_REQUEST, "00000002"), { ip: false, port: true });
    assert.equal(readAs(PASSWORD_ALGORITHM, "00020000"), "sha256");
    assert.equal(readAs(PASSWORD_ALGORITHM, "00020000 00010000"), undefined);
    assert.equal(readAs(PASSWORD_ALGORITHM, "00090000"), undefined);
  });
});

describe("the fingerprint", () => {
  it("is the CRC-32 of ITU V.42 XORed with STUN", () => {
    const crc = 0xcbf43926 ^ 0x5354554e;
    assert.equal(toHex(fingerprintOf(new TextEncoder().encode("123456789"))), (crc >>> 0).toString(16));
  });
});
