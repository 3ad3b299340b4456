import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { Crypto, KeyPair } from "../../../src/contract/crypto.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { ByteQueue } from "../../../src/session/byte-queue.ts";
import type { HandshakeStep } from "../../../src/session/handshake.ts";
import { createIdentity, Identity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { Responder } from "../../../src/session/responder.ts";

const random = seededRandom(1);

/** A server whose agreements are counted. */
class Counted {
  readonly identity: Identity;
  #agreements = 0;

  constructor() {
    const counting: Crypto = { ...crypto, keyPair: (secret) => this.#count(crypto.keyPair(secret)) };
    this.identity = new Identity(counting, random.fill(new Uint8Array(32)));
  }

  #count(pair: KeyPair): KeyPair {
    return {
      publicKey: pair.publicKey,
      agree: (key) => {
        this.#agreements++;
        return pair.agree(key);
      },
    };
  }

  /** What it makes of a first flight, and how many agreements with its own lasting key that takes. */
  hear(identity: Identity): { step: HandshakeStep["type"] | undefined; agreements: number } {
    const before = this.#agreements;
    const remotePublicKey = this.identity.publicKey;
    const initiator = new Initiator({ crypto, random, identity, remotePublicKey });
    const queue = new ByteQueue();
    queue.push(initiator.firstFlight());
    const step = new Responder({ crypto, random, identity: this.identity }).handle(queue)?.type;
    return { step, agreements: this.#agreements - before };
  }
}

/** Whoever claims to be the owner of a key without its secret. */
function impostor({ keyPair: { publicKey } }: Identity): Identity {
  const other = createIdentity(crypto, random);
  const keyPair = { publicKey, agree: (key: Uint8Array) => other.keyPair.agree(key) };
  const agreeWithPeer = keyPair.agree;
  return { keyPair, agreeWithPeer } as unknown as Identity;
}

describe("a responder", () => {
  it("does not compute anew what it agreed on with a peer that came before", () => {
    const [server, client] = [new Counted(), createIdentity(crypto, random)];
    assert.deepEqual(server.hear(client), { step: "peer", agreements: 2 });
    assert.deepEqual(server.hear(client), { step: "peer", agreements: 1 });
  });

  it("tells nobody by the work it does on a forgery whether the owner of the key came before", () => {
    const [server, client, stranger] = [new Counted(), ...[2, 3].map(() => createIdentity(crypto, random))];
    server.hear(client!);
    assert.deepEqual(server.hear(impostor(client!)), { step: "failed", agreements: 2 });
    assert.deepEqual(server.hear(impostor(stranger!)), { step: "failed", agreements: 2 });
  });

  it("remembers nothing of a forgery", () => {
    const [server, client] = [new Counted(), createIdentity(crypto, random)];
    server.hear(impostor(client));
    assert.deepEqual(server.hear(client), { step: "peer", agreements: 2 });
    for (let i = 0; i < 200; i++) server.hear(impostor(createIdentity(crypto, random)));
    assert.deepEqual(server.hear(client), { step: "peer", agreements: 1 });
  });
});
