import { toBase64Url } from "../base/bytes.ts";
import { OnetpError } from "../base/errors.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { establish, type HandshakeOptions, type HandshakeStep, SESSION_CONTEXT } from "./handshake.ts";
import { ALERTS, frameAlert, frameMessage, parseHello, prologueOf, takeInput } from "./hello.ts";
import { NoiseHandshake } from "./noise.ts";
import { decodePayload, encodePayload, type Payload } from "./payload.ts";

/** The server's side of a handshake: it speaks whatever the dialler's hello byte names. */
export class Responder {
  readonly role = "responder";
  readonly #options: HandshakeOptions;
  #noise: NoiseHandshake | undefined;
  #naming = false;
  /** What the two lasting keys agree on: recalled, or computed and to be remembered once the initiator has proved its own. */
  #agreed: { readonly secret: Uint8Array | undefined; readonly recalled: boolean } | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** Takes what it can; undefined until more has come. Not after it was established or has failed. */
  handle(queue: ByteQueue): HandshakeStep | undefined {
    if (this.#naming) return undefined;
    if (!this.#noise && queue.length > 0 && !this.#begin(queue)) {
      return failed("unsupported version, pattern or cipher, or no 1tp at all", ALERTS.unsupported);
    }
    const input = this.#noise && takeInput(queue);
    if (!input) return undefined;
    if (input.type === "alert") return failed(`the peer says ${input.alert}`);
    const message = input.type === "message" ? this.#noise!.read(input.message) : undefined;
    const payload = message && decodePayload(message);
    if (!payload) return this.#unreadable();
    this.#remember(this.#noise!);
    return this.#proceed(this.#noise!, payload);
  }

  #agree(key: Uint8Array): Uint8Array | undefined {
    const { identity } = this.#options;
    const known = identity.recall(key);
    this.#agreed = { secret: known ?? identity.keyPair.agree(key), recalled: known !== undefined };
    return this.#agreed.secret;
  }

  #remember({ remoteKey }: NoiseHandshake): void {
    const { secret, recalled } = this.#agreed ?? {};
    if (remoteKey && secret && !recalled) this.#options.identity.remember(remoteKey, secret);
    this.#agreed = undefined;
  }

  /** Takes as long whoever the forger claims to be, as with a key never seen: the time must not tell who has come here before. */
  #unreadable(): HandshakeStep {
    const { random, identity } = this.#options;
    if (this.#agreed?.recalled) identity.keyPair.agree(random.fill(new Uint8Array(32)));
    return failed("a message was not made for this key, or was changed", ALERTS.unreadable);
  }

  /** False if the hello byte names something unknown. */
  #begin(queue: ByteQueue): boolean {
    const hello = parseHello(queue.take(1)[0]!);
    if (!hello) return false;
    const { crypto, random, identity, context = SESSION_CONTEXT } = this.#options;
    const prologue = prologueOf(context, hello);
    this.#noise = new NoiseHandshake({
      pattern: hello.pattern,
      cipher: hello.cipher,
      crypto,
      random,
      initiator: false,
      prologue,
      staticKeys: identity.keyPair,
      agreeWithPeer: (key) => this.#agree(key),
    });
    return true;
  }

  /** An IK names the initiator in its first message, an XX in its third. */
  #proceed(noise: NoiseHandshake, { sessionId, early }: Payload): HandshakeStep {
    if (!noise.remoteKey) {
      const message = noise.write(encodePayload({}));
      return message
        ? { type: "reply", bytes: frameMessage(message) }
        : failed("the peer's key is of low order");
    }
    if (!sessionId) return failed("the initiator names no session", ALERTS.unreadable);
    this.#naming = true;
    const publicKey = toBase64Url(noise.remoteKey);
    const answer = (admitted: boolean): HandshakeStep => conclude(noise, sessionId, publicKey, admitted);
    return { type: "peer", publicKey, early, answer };
  }
}

/** IK still owes the initiator the second message; after XX's third a refusal is told in the session. */
function conclude(
  noise: NoiseHandshake,
  sessionId: Uint8Array,
  publicKey: string,
  admitted: boolean,
): HandshakeStep {
  if (noise.finished) {
    const established = establish(noise, sessionId, publicKey);
    return admitted
      ? { type: "established", established }
      : { type: "failed", error: refusal(), established };
  }
  const message = noise.write(encodePayload({ refused: !admitted }));
  if (!message) return failed("the peer's key is of low order");
  const bytes = frameMessage(message);
  if (!admitted) return { type: "failed", error: refusal(), bytes };
  return { type: "established", established: establish(noise, sessionId, publicKey), bytes };
}

function refusal(): OnetpError {
  const detail = "authorize did not admit the dialler";
  return new OnetpError("ERR_1TP_PEER_REFUSED", { phase: "handshake", detail });
}

function failed(detail: string, alert?: number): HandshakeStep {
  const error = new OnetpError("ERR_1TP_HANDSHAKE_FAILED", { phase: "handshake", detail });
  return { type: "failed", error, ...(alert === undefined ? {} : { bytes: frameAlert(alert) }) };
}
