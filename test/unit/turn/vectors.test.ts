import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { ERROR_CODE } from "../../../src/stun/errors.ts";
import { FINGERPRINT_TYPE } from "../../../src/stun/fingerprint.ts";
import { isChannelData } from "../../../src/stun/framing.ts";
import { checkIntegrity, type IntegrityKey, sealMessage } from "../../../src/stun/integrity.ts";
import {
  decodeMessage,
  INTEGRITY_TYPE,
  type ReceivedMessage,
  unknownRequired,
} from "../../../src/stun/message.ts";
import { longTermKey } from "../../../src/stun/secrets.ts";
import {
  CHANNEL_NUMBER,
  CONNECTION_ID,
  DATA,
  KNOWN_TURN_ATTRIBUTES,
  LIFETIME,
  REQUESTED_TRANSPORT,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
} from "../../../src/turn/attributes.ts";
import { channelOf, dataOf, writeChannelData } from "../../../src/turn/channel-data.ts";
import { decodeIndication } from "../../../src/turn/indications.ts";

interface Vector {
  readonly name: string;
  readonly from: "client" | "server";
  readonly bytes: readonly string[];
  readonly class?: string;
  readonly method?: number;
  readonly status?: number;
  readonly protocol?: number;
  readonly lifetime?: number;
  readonly channel?: number;
  readonly connection?: number;
  readonly data?: string;
  readonly peer?: SocketAddress;
  readonly relayed?: SocketAddress;
  readonly mapped?: SocketAddress;
  readonly signed?: boolean;
}

const { vectors, credentials } = JSON.parse(readFileSync("test/vectors/turn.json", "utf8")) as {
  readonly vectors: readonly Vector[];
  readonly credentials: { readonly username: string; readonly realm: string; readonly password: string };
};
const { username, realm, password } = credentials;
const KEY: IntegrityKey = {
  crypto,
  algorithm: "sha1",
  key: longTermKey(crypto, "md5", username, realm, password),
};

const bytesOf = ({ bytes }: Vector): Uint8Array => fromHex(bytes.join(""))!;

function decoded(vector: Vector): ReceivedMessage {
  const message = decodeMessage(bytesOf(vector));
  assert.ok(typeof message !== "string", `${message}`);
  return message;
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes);
}

describe("what was recorded between us and coturn", () => {
  const [messages, frames] = [vectors.filter((each) => each.class), vectors.filter((each) => !each.class)];

  for (const vector of messages) {
    it(`${vector.name} says what it should`, () => {
      const message = decoded(vector);
      assert.deepEqual(unknownRequired(message, KNOWN_TURN_ATTRIBUTES), []);
      const seen = {
        class: message.class,
        method: message.method,
        status: ERROR_CODE.in(message)?.code,
        protocol: REQUESTED_TRANSPORT.in(message),
        lifetime: LIFETIME.in(message),
        channel: CHANNEL_NUMBER.in(message),
        connection: CONNECTION_ID.in(message),
        data: text(DATA.in(message)),
        peer: XOR_PEER_ADDRESS.in(message),
        relayed: XOR_RELAYED_ADDRESS.in(message),
        mapped: XOR_MAPPED_ADDRESS.in(message),
        signed: checkIntegrity(message.bytes, KEY),
      };
      const { name: _, from: __, bytes: ___, ...expected } = vector;
      const said = Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined));
      assert.deepEqual(said, expected);
    });

    it(`${vector.name} is written as it was read`, () => {
      const message = decoded(vector);
      const types = message.attributes.map(({ type }) => type);
      const seals = [INTEGRITY_TYPE, FINGERPRINT_TYPE];
      const plain = message.attributes.filter(({ type }) => !seals.includes(type));
      const key = types.includes(INTEGRITY_TYPE) ? KEY : undefined;
      const again = sealMessage({ ...message, attributes: plain }, key, types.includes(FINGERPRINT_TYPE));
      assert.equal(toHex(again), toHex(message.bytes));
    });
  }

  for (const vector of frames) {
    it(`${vector.name} is a channel's, and is written as it was read`, () => {
      const frame = bytesOf(vector);
      assert.equal(isChannelData(frame), true);
      assert.deepEqual([channelOf(frame), text(dataOf(frame))], [vector.channel, vector.data]);
      const again = writeChannelData(new Uint8Array(100), channelOf(frame), dataOf(frame)!);
      assert.equal(toHex(again), toHex(frame));
    });
  }

  it("a Data indication is a datagram from its peer", () => {
    const vector = vectors.find(({ name }) => name === "a Data indication")!;
    const event = decodeIndication(bytesOf(vector));
    assert.ok(event?.type === "data");
    assert.deepEqual([event.remote, text(event.data)], [vector.peer, vector.data]);
  });

  it("a ConnectionAttempt is a peer's", () => {
    const vector = vectors.find(({ name }) => name === "ConnectionAttempt")!;
    const event = decodeIndication(bytesOf(vector));
    assert.ok(event?.type === "attempt");
    assert.deepEqual([event.remote, event.connection], [vector.peer, vector.connection]);
  });
});
