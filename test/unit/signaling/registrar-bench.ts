import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { crypto } from "#platform";
import { performTask } from "../../../signaling/registrar/clerk.ts";
import { limitsWith, type RegistrarLimits } from "../../../signaling/registrar/limits.ts";
import type { Outgoing } from "../../../signaling/registrar/mailroom.ts";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import { registrationProof } from "../../../signaling/registrar/proof.ts";
import {
  type ClientMessage,
  decodeRegistrarMessage,
  encodeMessage,
  type RegisterMessage,
  type RegistrarMessage,
} from "../../../signaling/registrar/protocol.ts";
import { Registrar } from "../../../signaling/registrar/registrar.ts";
import { fromBase64Url, toBase64Url } from "../../../src/base/bytes.ts";
import { type Drive, drive } from "../../../src/base/drive.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { KeyPair } from "../../../src/contract/crypto.ts";
import type { Directory } from "../../../src/contract/directory.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** What the registrars of the bench are known as. */
export const ORIGIN = "ws://registrar.test";

/** How to make a bench. */
export interface BenchOptions {
  readonly limits?: Partial<RegistrarLimits>;
  readonly token?: string;
  readonly directory?: Directory;
  readonly clock?: VirtualClock;
  readonly seed?: number;
  /** Default false. */
  readonly relay?: boolean;
}

/** A registrar in virtual time, without sockets. */
export class RegistrarBench {
  readonly clock: VirtualClock;
  readonly registrar: Registrar;
  readonly random;
  readonly #directory: Directory;
  readonly #drive: Drive;
  readonly #clients = new Map<number, ScriptedClient>();
  #ids = 0;
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor({ limits, token, directory, clock, seed = 1, relay }: BenchOptions = {}) {
    this.clock = clock ?? new VirtualClock();
    this.random = seededRandom(seed);
    this.#directory = directory ?? new MemoryDirectory();
    this.registrar = new Registrar({
      crypto,
      random: this.random,
      limits: limitsWith(limits),
      ownsOrigin: (origin) => origin === ORIGIN,
      token,
      onRelayed: relay ? () => {} : undefined,
    });
    this.#drive = drive(
      this.registrar,
      this.clock,
      (out) => this.#deliver(out),
      (task) => {
        void performTask(this.#directory, task).then((answer) => {
          this.registrar.handleAnswer(task, answer);
          this.#drive.wake();
        });
      },
    );
  }

  /** Joins the directory, to be found by other registrars. */
  async join(): Promise<this> {
    this.#unsubscribe = await this.#directory.subscribe(this.registrar.name, (post) => {
      this.registrar.handlePost(post, this.clock.now());
      this.#drive.wake();
    });
    return this;
  }

  /** Dies without a word to anybody. */
  async crash(): Promise<void> {
    this.#drive.stop();
    await this.#unsubscribe?.();
  }

  /** A connection that has not said anything. */
  connect(address = "192.0.2.1"): ScriptedClient {
    const client = new ScriptedClient(this, ++this.#ids);
    this.#clients.set(client.id, client);
    this.registrar.handleConnect(client.id, address, this.clock.now());
    this.#drive.wake();
    return client;
  }

  /** A connection that has said hello. */
  async greet(address?: string): Promise<ScriptedClient> {
    const client = this.connect(address);
    await client.say({ type: "hello", version: 1 });
    await client.expect("hello");
    return client;
  }

  /** What it greets a new connection with. */
  async hello(): Promise<RegistrarMessage & { type: "hello" }> {
    const client = this.connect();
    await client.say({ type: "hello", version: 1 });
    return client.expect("hello");
  }

  async putBytes(id: number, frame: Uint8Array): Promise<void> {
    this.registrar.handleRelayed(id, frame, this.clock.now());
    this.#drive.wake();
    await this.settled();
  }

  /** Resolves when the directory has done what it was asked to. */
  async settled(): Promise<void> {
    await setImmediate();
  }

  async put(id: number, frame: string | undefined): Promise<void> {
    this.registrar.handleFrame(id, frame, this.clock.now());
    this.#drive.wake();
    await setImmediate();
  }

  async drop(id: number): Promise<void> {
    this.registrar.handleDisconnect(id, this.clock.now());
    this.#drive.wake();
    await setImmediate();
  }

  async drain(): Promise<void> {
    this.registrar.drain(this.clock.now());
    this.#drive.wake();
    await setImmediate();
  }

  #deliver(out: Outgoing): void {
    const client = this.#clients.get(out.connection)!;
    assert.equal(client.cut, undefined, "nothing follows a cut");
    if ("cut" in out) client.cut = out.cut;
    else {
      const message = decodeRegistrarMessage(out.frame);
      assert.ok(message && message.type !== "unknown", `the registrar said ${out.frame}`);
      client.heard.push(message);
    }
  }
}

/** A client that says what it is told to. */
export class ScriptedClient {
  readonly id: number;
  /** What came and was not expected yet. */
  readonly heard: RegistrarMessage[] = [];
  cut: { readonly status: number; readonly reason: string } | undefined;
  readonly #bench: RegistrarBench;

  constructor(bench: RegistrarBench, id: number) {
    this.#bench = bench;
    this.id = id;
  }

  async say(message: ClientMessage): Promise<void> {
    await this.#bench.put(this.id, encodeMessage(message));
  }

  /** Sends a frame as it is; undefined: a binary one. */
  async blurt(frame: string | undefined): Promise<void> {
    await this.#bench.put(this.id, frame);
  }

  async sendBytes(frame: Uint8Array): Promise<void> {
    await this.#bench.putBytes(this.id, frame);
  }

  /** The next frame that is relayed to it. */
  take(): Uint8Array | undefined {
    return this.#bench.registrar.relay?.take(this.id);
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.#bench.clock.advance(ms);
  }

  async leave(): Promise<void> {
    await this.#bench.drop(this.id);
  }

  /** The next message, which has to be of that type. */
  expect<Type extends RegistrarMessage["type"]>(type: Type): RegistrarMessage & { type: Type } {
    const message = this.heard.shift();
    assert.equal(message?.type, type, `cut: ${JSON.stringify(this.cut)}, heard: ${JSON.stringify(message)}`);
    return message as RegistrarMessage & { type: Type };
  }

  /** A registration as an honest client makes it, up to its proof. */
  async prepare(keyPair: KeyPair, salt: Uint8Array, request = 1, origin = ORIGIN): Promise<RegisterMessage> {
    await this.say({ type: "challenge", request });
    const { ephemeral } = this.expect("challenge");
    const nonce = this.#bench.random.fill(new Uint8Array(16));
    const uid = deriveUid(crypto, keyPair.publicKey, salt);
    const key = fromBase64Url(ephemeral)!;
    const proof = registrationProof(crypto, keyPair, key, { origin, ephemeral: key, nonce, uid })!;
    return {
      type: "register",
      request,
      publicKey: toBase64Url(keyPair.publicKey),
      salt: toBase64Url(salt),
      nonce: toBase64Url(nonce),
      origin,
      transportType: "test",
      proof: toBase64Url(proof),
    };
  }

  /** Registers a fresh uid, or the one of that key and salt. */
  async register(
    keyPair = this.newKey(),
    salt = this.#bench.random.fill(new Uint8Array(16)),
  ): Promise<string> {
    await this.say(await this.prepare(keyPair, salt));
    return this.expect("registered").uid;
  }

  newKey(): KeyPair {
    return crypto.keyPair(this.#bench.random.fill(new Uint8Array(32)));
  }
}
