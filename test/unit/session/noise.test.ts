import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import type { CipherName, Crypto } from "../../../src/contract/crypto.ts";
import type { Random } from "../../../src/contract/runtime.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { NoiseHandshake, type PatternName } from "../../../src/session/noise.ts";

/** One entry of the vector format the Noise implementations share. */
interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const FOLDER = new URL("../../vectors/noise/", import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
const PROVIDERS: Readonly<Record<string, Crypto>> = { node: nodeCrypto, noble: nobleCrypto };

function bytes(hex: string): Uint8Array {
  const decoded = fromHex(hex);
  assert.ok(decoded, `${hex} is hexadecimal`);
  return decoded;
}

/** A source of randomness that knows one answer. */
function answering(hex: string): Random {
  return {
    fill(target) {
      target.set(bytes(hex));
      return target;
    },
  };
}

function handshakes(vector: Vector, crypto: Crypto): [NoiseHandshake, NoiseHandshake] {
  const [, pattern, , cipher] = vector.protocol_name.split("_") as [string, PatternName, string, CipherName];
  const initiatorKeys = crypto.keyPair(bytes(vector.init_static));
  const responderKeys = crypto.keyPair(bytes(vector.resp_static));
  const initiator = new NoiseHandshake({
    crypto,
    random: answering(vector.init_ephemeral),
    pattern,
    cipher,
    initiator: true,
    prologue: bytes(vector.init_prologue),
    staticKeys: initiatorKeys,
    remoteKey: pattern === "IK" ? responderKeys.publicKey : undefined,
  });
  const responder = new NoiseHandshake({
    crypto,
    random: answering(vector.resp_ephemeral),
    pattern,
    cipher,
    initiator: false,
    prologue: bytes(vector.resp_prologue),
    staticKeys: responderKeys,
  });
  return [initiator, responder];
}

function replay(vector: Vector, crypto: Crypto): void {
  const sides = handshakes(vector, crypto);
  let keys: ReturnType<NoiseHandshake["split"]>[] | undefined;
  for (const [turn, { payload, ciphertext }] of vector.messages.entries()) {
    const [from, to] = turn % 2 === 0 ? [0, 1] : [1, 0];
    if (!sides[0].finished) {
      const written = sides[from]!.write(bytes(payload));
      assert.equal(toHex(written!), ciphertext, `handshake message ${turn}`);
      assert.equal(toHex(sides[to]!.read(written!)!), payload, `payload ${turn}`);
      continue;
    }
    keys ??= sides.map((side) => side.split());
    const none = new Uint8Array(0);
    const sealed = keys[from]!.send.encrypt(none, bytes(payload));
    assert.equal(toHex(sealed), ciphertext, `transport message ${turn}`);
    assert.equal(toHex(keys[to]!.receive.decrypt(none, sealed)!), payload, `transport payload ${turn}`);
  }
  assert.ok(keys, "the vector goes beyond the handshake");
  assert.deepEqual(sides[0].hash, sides[1].hash);
  if (vector.handshake_hash) assert.equal(toHex(sides[0].hash), vector.handshake_hash);
}

describe("the Noise state machine", () => {
  for (const file of FILES) {
    const { vectors } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { vectors: Vector[] };
    for (const [name, crypto] of Object.entries(PROVIDERS)) {
      it(`repeats all ${vectors.length} vectors of ${file} with ${name}`, () => {
        assert.ok(vectors.length > 0);
        for (const vector of vectors) replay(vector, crypto);
      });
    }
  }

  it("is tested on both patterns with both ciphers", () => {
    const names = FILES.flatMap((file) => {
      const { vectors } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { vectors: Vector[] };
      return vectors.map(({ protocol_name }) => protocol_name);
    });
    assert.equal(new Set(names).size, 4);
  });
});
