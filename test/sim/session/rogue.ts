import assert from "node:assert/strict";
import { seededRandom } from "../../../src/base/random.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { ByteQueue } from "../../../src/session/byte-queue.ts";
import type { CipherState } from "../../../src/session/cipher-state.ts";
import { SessionEngine, type SessionEvent } from "../../../src/session/engine.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { sealRecord } from "../../../src/session/record.ts";
import { Responder } from "../../../src/session/responder.ts";

const NOW = 1000;

/** A dialler that did its handshake and then says what it likes, and the server's engine that has to bear it. */
export class Rogue {
  readonly engine: SessionEngine;
  /** Records the engine has sent. */
  answered = 0;
  /** Bytes the engine has delivered. */
  received = 0;
  /** Bytes of the buffers these were in. */
  held = 0;
  error: Error | undefined;
  readonly #send: CipherState;

  constructor() {
    const random = seededRandom(5);
    const [identity, server] = [createIdentity(crypto, random), createIdentity(crypto, random)];
    const initiator = new Initiator({ crypto, random, identity, remotePublicKey: server.publicKey });
    this.engine = new SessionEngine(new Responder({ crypto, random, identity: server }), false);
    this.engine.resume();
    this.engine.handleData(initiator.firstFlight(), NOW);
    const answer = new ByteQueue();
    for (const bytes of this.#drain()) answer.push(bytes);
    const step = initiator.handle(answer);
    assert.ok(step?.type === "established");
    this.#send = step.established.send;
    this.say([7, 0, 0]);
  }

  /** Lets the engine deliver what it has held back. */
  listen(): void {
    this.engine.resume();
    this.#drain();
  }

  /** Sends a record with this plaintext. */
  say(plaintext: readonly number[]): void {
    this.engine.handleData(sealRecord(this.#send, Uint8Array.from(plaintext)), NOW);
    this.answered += this.#drain().length;
  }

  #drain(): Uint8Array[] {
    const sent: Uint8Array[] = [];
    for (let more = true; more; ) {
      more = false;
      for (let event = this.engine.pollEvent(); event; event = this.engine.pollEvent()) {
        more = true;
        this.#hear(event);
      }
      for (let out = this.engine.pollTransmit(NOW); out; out = this.engine.pollTransmit(NOW)) sent.push(out);
    }
    return sent;
  }

  #hear(event: SessionEvent): void {
    if (event.type === "peer") this.engine.answer(true, NOW);
    if (event.type === "closed") this.error = event.error;
    const bytes =
      event.type === "data" ? event.chunk : event.type === "message" ? event.message.body : undefined;
    this.received += bytes?.length ?? 0;
    this.held += bytes?.buffer.byteLength ?? 0;
  }
}
