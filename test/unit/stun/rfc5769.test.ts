import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { PRIORITY } from "../../../src/stun/checks.ts";
import { FINGERPRINT_TYPE } from "../../../src/stun/fingerprint.ts";
import { checkIntegrity, type IntegrityAlgorithm, sealMessage } from "../../../src/stun/integrity.ts";
import {
  decodeMessage,
  HEADER_SIZE,
  INTEGRITY_SHA256_TYPE,
  INTEGRITY_TYPE,
  type ReceivedMessage,
} from "../../../src/stun/message.ts";
import {
  longTermKey,
  PASSWORD_ALGORITHM,
  type PasswordAlgorithm,
  shortTermKey,
  USERHASH,
  userHash,
} from "../../../src/stun/secrets.ts";
import { NONCE, REALM, SOFTWARE, USERNAME } from "../../../src/stun/texts.ts";

interface Vector {
  readonly name: string;
  readonly bytes: readonly string[];
  readonly padding: string;
  readonly class: string;
  readonly software?: string;
  readonly priority?: number;
  readonly username?: string;
  readonly anonymous?: string;
  readonly realm?: string;
  readonly nonce?: string;
  readonly mapped?: SocketAddress;
  readonly password: string;
  readonly longTerm?: PasswordAlgorithm;
  readonly integrity: IntegrityAlgorithm;
  readonly fingerprint: boolean;
}

const VECTORS: readonly Vector[] = JSON.parse(readFileSync("test/vectors/rfc5769.json", "utf8")).vectors;
const SEALS = [INTEGRITY_TYPE, INTEGRITY_SHA256_TYPE, FINGERPRINT_TYPE];

function decode(bytes: Uint8Array): ReceivedMessage {
  const message = decodeMessage(bytes);
  assert.ok(typeof message !== "string", `${message}`);
  return message;
}

for (const [provider, crypto] of Object.entries({ node: nodeCrypto, noble: nobleCrypto })) {
  for (const vector of VECTORS) {
    const bytes = fromHex(vector.bytes.join(""))!;
    const user = vector.username ?? vector.anonymous ?? "";
    const key = vector.longTerm
      ? longTermKey(crypto, vector.longTerm, user, vector.realm!, vector.password)
      : shortTermKey(vector.password);
    const integrity = { crypto, algorithm: vector.integrity, key };

    describe(`${vector.name} (${provider})`, () => {
      it("says what it should", () => {
        const message = decode(bytes);
        assert.deepEqual([message.class, message.method], [vector.class, 1]);
        assert.equal(SOFTWARE.in(message), vector.software);
        assert.equal(PRIORITY.in(message), vector.priority);
        assert.equal(USERNAME.in(message), vector.username);
        assert.equal(REALM.in(message), vector.realm);
        assert.equal(NONCE.in(message), vector.nonce);
        assert.deepEqual(XOR_MAPPED_ADDRESS.in(message), vector.mapped);
        if (vector.anonymous === undefined) return;
        assert.equal(toHex(USERHASH.in(message)!), toHex(userHash(crypto, vector.anonymous, vector.realm!)));
        assert.equal(PASSWORD_ALGORITHM.in(message), vector.longTerm);
      });

      it("is authentic, and nothing else is", () => {
        assert.equal(checkIntegrity(bytes, integrity), true);
        assert.equal(checkIntegrity(bytes, { ...integrity, key: shortTermKey("wrong") }), false);
        const other = vector.integrity === "sha1" ? "sha256" : "sha1";
        assert.equal(checkIntegrity(bytes, { ...integrity, algorithm: other }), undefined);
        const covered = bytes.length - (vector.fingerprint ? 8 : 0);
        for (let at = HEADER_SIZE; at < covered; at++) {
          const changed = Uint8Array.from(bytes);
          changed[at]! ^= 1;
          assert.notEqual(checkIntegrity(changed, integrity), true, `byte ${at}`);
        }
      });

      it("is made again byte by byte, but for padding, which is zeros now", () => {
        const message = decode(bytes);
        const body = {
          ...message,
          attributes: message.attributes.filter(({ type }) => !SEALS.includes(type)),
        };
        const made = sealMessage(body, integrity, vector.fingerprint);
        assert.equal(made.length, bytes.length);
        if (vector.padding === "00") assert.equal(toHex(made), toHex(bytes));
        assert.equal(checkIntegrity(made, integrity), true);
        const values = (of: ReceivedMessage): unknown =>
          of.attributes
            .filter(({ type }) => !SEALS.includes(type))
            .map(({ type, value }) => [type, toHex(value)]);
        assert.deepEqual(values(decode(made)), values(message));
      });

      if (vector.fingerprint) {
        it("is recognized by its fingerprint, and not when a bit has changed", () => {
          const typeAt = bytes.length - 8;
          for (let at = 8; at < bytes.length; at++) {
            if (at === typeAt || at === typeAt + 1) continue;
            const changed = Uint8Array.from(bytes);
            changed[at]! ^= 0x10;
            assert.equal(typeof decodeMessage(changed), "string", `byte ${at}`);
          }
        });
      }
    });
  }
}
