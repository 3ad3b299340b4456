import { sameBytes } from "../../base/bytes.ts";
import type { Instant } from "../../contract/clock.ts";
import type { SocketAddress } from "../../contract/datagram-socket.ts";
import type { Random } from "../../contract/runtime.ts";
import { BINDING } from "../../stun/binding.ts";
import { USE_CANDIDATE } from "../../stun/checks.ts";
import { decodeMessage, type ReceivedMessage } from "../../stun/message.ts";
import { type CheckCodec, makeTransactionId } from "../check.ts";
import type { LinkKind } from "./candidate.ts";

/** Why a connection is of no use: what came over it is not the peer's, or not what has to come next. */
export type LinkFault = "message" | "stranger" | "forged" | "unasked" | "disorder";

/** One TCP connection of a punch. Over it both sides ask and answer, and the opener may say at last that it is the one. */
export class Link {
  readonly id: number;
  readonly remote: SocketAddress;
  readonly kind: LinkKind;
  /** It is connected. */
  open = false;
  /** Something came that is not the peer's. */
  strange = false;
  /** It is given up then. */
  deadline: Instant;
  /** The system is about to send its SYN again then. */
  repeatsAt: Instant | undefined;
  readonly #ownId: Uint8Array;
  #asked = false;
  #heardId: Uint8Array | undefined;
  #answered = false;

  constructor(id: number, remote: SocketAddress, kind: LinkKind, random: Random, deadline: Instant) {
    this.id = id;
    this.remote = remote;
    this.kind = kind;
    this.deadline = deadline;
    this.#ownId = makeTransactionId(random);
  }

  /** The peer has asked here, and has been answered. */
  get heard(): boolean {
    return this.#heardId !== undefined;
  }

  /** Both have asked and been answered: it is the peer at the other end. */
  get proven(): boolean {
    return this.#answered && this.heard;
  }

  /** Our check; undefined if it has left, or nobody is known whom it could be for. */
  ask(codec: CheckCodec): Uint8Array | undefined {
    if (this.#asked) return undefined;
    const request = codec.request(this.#ownId);
    this.#asked = request !== undefined;
    return request;
  }

  /** What says that this link is the one: it repeats the id of our check. */
  nominate(codec: CheckCodec): Uint8Array | undefined {
    return codec.nomination(this.#ownId);
  }

  /** What came over it: what to answer, `nominated`, or nothing. A fault makes it strange. */
  receive(frame: Uint8Array, codec: CheckCodec): Uint8Array | "nominated" | LinkFault | undefined {
    const result = this.#read(frame, codec);
    if (typeof result === "string" && result !== "nominated") this.strange = true;
    return result;
  }

  #read(frame: Uint8Array, codec: CheckCodec): Uint8Array | "nominated" | LinkFault | undefined {
    const message = decodeMessage(frame);
    if (typeof message === "string" || message.method !== BINDING) return "message";
    if (message.class === "request") return this.#receiveRequest(message, codec);
    if (message.class === "success") return this.#receiveAnswer(message, codec);
    if (message.class === "indication") return this.#receiveNomination(message, codec);
    return "message";
  }

  #receiveRequest(request: ReceivedMessage, codec: CheckCodec): Uint8Array | LinkFault {
    const fault = codec.requestFault(request);
    if (fault) return fault;
    if (this.#heardId) return "disorder";
    this.#heardId = request.transactionId.slice();
    return codec.response(request, this.remote);
  }

  #receiveAnswer(answer: ReceivedMessage, codec: CheckCodec): LinkFault | undefined {
    if (!this.#asked || this.#answered || !sameBytes(answer.transactionId, this.#ownId)) return "unasked";
    if (!codec.isAuthentic(answer)) return "forged";
    this.#answered = true;
    return undefined;
  }

  #receiveNomination(message: ReceivedMessage, codec: CheckCodec): "nominated" | LinkFault {
    const fault = codec.requestFault(message);
    if (fault) return fault;
    const ours = this.#heardId !== undefined && sameBytes(message.transactionId, this.#heardId);
    return ours && this.proven && USE_CANDIDATE.isIn(message) ? "nominated" : "disorder";
  }
}
