import { rangeError } from "../base/argument.ts";
import { concat, EMPTY, fromBase64Url, toBase64Url } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import type { Json, JsonObject } from "../contract/endpoint.ts";
import { ByteQueue } from "./byte-queue.ts";
import { type Established, type HandshakeOptions, type HandshakeStep, notAdmitted } from "./handshake.ts";
import { Initiator, type InitiatorOptions } from "./initiator.ts";
import { Responder } from "./responder.ts";

/**
 * Signals: `{ id, hs }` and `{ hs }` carry the handshake, `{ n, c }` a counted, sealed body; `{ refused }` is the acceptor's only one after an
 * XX whose opener it does not admit.
 */

/** The most JSON that goes with a dialog's first signal, in bytes (chosen: within a handshake message). */
const MAX_EARLY_BODY = 1_500;

/** The most JSON that can be sealed, in bytes: in base64 and with its counter it stays below 16 KiB. */
export const MAX_SEALED_BODY = 12_000;

const ID_LENGTH = 16;
/** What tells a refusal from a body. */
const REFUSED = new TextEncoder().encode("refused");

const text = { encoder: new TextEncoder(), decoder: new TextDecoder("utf-8", { fatal: true }) };

/** What a signal means to whoever owns the dialog. */
export type SealEvent =
  | { readonly type: "send"; readonly signal: JsonObject }
  /** Answer with `Seal.answer` whether it may go on. */
  | { readonly type: "peer"; readonly publicKey: string }
  /** The peer has proved itself, and on the accepting side that this is no replay; unless its first body came early. */
  | { readonly type: "established" }
  | { readonly type: "body"; readonly body: Json }
  /** The dialog is of no use. */
  | { readonly type: "failed"; readonly error: Error };

/** Signals that were not believed, by reason. */
export interface SealDrops {
  malformed: number;
  replayed: number;
  forged: number;
}

/**
 * One side of a sealed dialog: a Noise handshake and counted, sealed bodies, over signals that can get
 * lost. The side that opened the dialog has to send the first body, perhaps with its first signal: then it is the one
 * body that can be a replay, and the answer to it can be read by none but the one who sent it first.
 */
export class Seal {
  readonly dropped: SealDrops = { malformed: 0, replayed: 0, forged: 0 };
  readonly #side: Opener | Acceptor;
  readonly #input = new ByteQueue();
  #answer: ((admitted: boolean) => HandshakeStep) | undefined;
  #early: Json | undefined;
  #failed = false;
  #keys: Established | undefined;
  #heard = false;

  private constructor(side: Opener | Acceptor) {
    this.#side = side;
  }

  /** For the side that opened the dialog. @throws OnetpError if the peer's key is missing or unusable. */
  static opener(transportType: string, options: Omit<InitiatorOptions, "context">): Seal {
    const id = options.random.fill(new Uint8Array(ID_LENGTH));
    const handshake = new Initiator({ ...options, context: contextOf(transportType, id) });
    return new Seal({ role: "opener", id, handshake });
  }

  /** For the side to which a dialog was opened. */
  static acceptor(transportType: string, options: Omit<HandshakeOptions, "context">): Seal {
    const begin = (id: Uint8Array): Responder =>
      new Responder({ ...options, context: contextOf(transportType, id) });
    return new Seal({ role: "acceptor", begin, handshake: undefined });
  }

  /** The peer's static key, base64url; undefined until established. */
  get remotePublicKey(): string | undefined {
    return this.#keys?.remotePublicKey;
  }

  /** Whether a body can go with the first signal. */
  carriesEarly(body: Json): boolean {
    const { role, handshake } = this.#side;
    const seals = role === "opener" && handshake?.seals === true;
    return seals && encodeJson(body).length <= MAX_EARLY_BODY;
  }

  /** The opener's first signal, with a body that it can carry. */
  firstSignal(early?: Json): JsonObject {
    const side = this.#side;
    invariant(side.role === "opener" && side.handshake, "only the opener speaks first");
    const { id, handshake } = side;
    const body = early === undefined ? undefined : encodeJson(early);
    return { id: toBase64Url(id), hs: toBase64Url(handshake.firstFlight(0, body)) };
  }

  /** What follows from a signal. Signals nobody can have meant are dropped and counted. */
  handle(signal: Json): SealEvent[] {
    if (this.#failed) return [];
    if (typeof signal !== "object" || signal === null || Array.isArray(signal))
      return this.#drop("malformed");
    const { id, hs, n, c, refused } = signal as JsonObject;
    if (this.#keys)
      return refused === undefined ? this.#open(this.#keys, n, c) : this.#turnAway(this.#keys, refused);
    const bytes = typeof hs === "string" ? fromBase64Url(hs) : undefined;
    if (!bytes || this.#answer) return this.#drop("malformed");
    const handshake = this.#begin(id);
    if (!handshake) return this.#drop("malformed");
    this.#input.push(bytes);
    const step = handshake.handle(this.#input);
    return step ? this.#follow(step) : this.#drop("malformed");
  }

  /** Whether the peer that was named may go on. */
  answer(admitted: boolean): SealEvent[] {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer ? this.#follow(answer(admitted)) : [];
  }

  /** A body as a signal. @throws ERR_OUT_OF_RANGE if it is too long. Not before `established`. */
  seal(body: Json): JsonObject {
    invariant(this.#keys, "bodies are sealed when the keys are there");
    const plaintext = encodeJson(body);
    if (plaintext.length > MAX_SEALED_BODY) {
      throw rangeError("body", `at most ${MAX_SEALED_BODY} bytes of JSON`, `${plaintext.length} bytes`);
    }
    const n = this.#keys.send.counter;
    return { n, c: toBase64Url(this.#keys.send.encrypt(EMPTY, plaintext)) };
  }

  #begin(id: Json | undefined): Initiator | Responder | undefined {
    const side = this.#side;
    if (side.role === "acceptor" && !side.handshake) {
      const bytes = typeof id === "string" ? fromBase64Url(id) : undefined;
      if (bytes?.length === ID_LENGTH) side.handshake = side.begin(bytes);
    }
    return side.handshake;
  }

  #follow(step: HandshakeStep): SealEvent[] {
    if (step.type === "peer") {
      this.#answer = step.answer;
      this.#early = step.early && parseJson(step.early);
      return [{ type: "peer", publicKey: step.publicKey }];
    }
    const events: SealEvent[] = [];
    if (step.bytes) events.push({ type: "send", signal: { hs: toBase64Url(step.bytes) } });
    if (step.type === "failed") {
      this.#failed = true;
      if (step.established) events.push({ type: "send", signal: refusalUnder(step.established) });
      events.push({ type: "failed", error: step.error });
    }
    if (step.type !== "established") return events;
    this.#keys = step.established;
    // Its keys are not to be found here later.
    this.#side.handshake = undefined;
    const early = this.#early;
    this.#heard = early !== undefined;
    if (this.#side.role === "opener" || early !== undefined) events.push({ type: "established" });
    if (early !== undefined) events.push({ type: "body", body: early });
    return events;
  }

  /** The peer says that we are not admitted, before anything else. */
  #turnAway({ receive }: Established, refused: Json): SealEvent[] {
    const sealed = typeof refused === "string" ? fromBase64Url(refused) : undefined;
    if (!sealed) return this.#drop("malformed");
    const expected = receive.counter;
    if (this.#side.role !== "opener" || !receive.decrypt(REFUSED, sealed)) {
      receive.counter = expected;
      return this.#drop("forged");
    }
    this.#failed = true;
    return [{ type: "failed", error: notAdmitted() }];
  }

  #open(keys: Established, n: Json | undefined, c: Json | undefined): SealEvent[] {
    const sealed = typeof c === "string" ? fromBase64Url(c) : undefined;
    if (!sealed || typeof n !== "number" || !Number.isSafeInteger(n)) return this.#drop("malformed");
    const expected = keys.receive.counter;
    if (n < expected) return this.#drop("replayed");
    keys.receive.counter = n;
    const plaintext = keys.receive.decrypt(EMPTY, sealed);
    if (!plaintext) {
      keys.receive.counter = expected;
      return this.#drop("forged");
    }
    const body = parseJson(plaintext);
    if (body === undefined) return this.#drop("malformed");
    const event: SealEvent = { type: "body", body };
    if (this.#heard || this.#side.role === "opener") return [event];
    this.#heard = true;
    return [{ type: "established" }, event];
  }

  #drop(reason: keyof SealDrops): SealEvent[] {
    this.dropped[reason]++;
    return [];
  }
}

interface Opener {
  readonly role: "opener";
  readonly id: Uint8Array;
  /** Until it is over. */
  handshake: Initiator | undefined;
}

interface Acceptor {
  readonly role: "acceptor";
  readonly begin: (id: Uint8Array) => Responder;
  /** From the first signal until it is over. */
  handshake: Responder | undefined;
}

function refusalUnder({ send }: Established): JsonObject {
  return { refused: toBase64Url(send.encrypt(REFUSED, EMPTY)) };
}

function contextOf(transportType: string, id: Uint8Array): Uint8Array {
  return concat([text.encoder.encode(`1tp-dialog ${transportType}\0`), id]);
}

function encodeJson(body: Json): Uint8Array {
  return text.encoder.encode(JSON.stringify(body));
}

function parseJson(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(text.decoder.decode(bytes)) as Json;
  } catch {
    return undefined;
  }
}
