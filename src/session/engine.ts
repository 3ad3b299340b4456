import { OnetpError, systemError } from "../base/errors.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Engine } from "../contract/engine.ts";
import { ByteQueue } from "./byte-queue.ts";
import { DEFAULT_PATIENCE, Exchange, type Message, type Patience } from "./exchange.ts";
import { RESET_REASONS } from "./frame.ts";
import type { Established, HandshakeStep } from "./handshake.ts";
import type { Initiator } from "./initiator.ts";
import type { Responder } from "./responder.ts";
import { WORTH_A_RECORD } from "./send-stream.ts";

/** What a session tells whoever drives it. */
export type SessionEvent =
  /** The dialler has named itself: `answer` whether it may come in. */
  | { readonly type: "peer"; readonly publicKey: string }
  /** The peer is who it says and, on a responder, means this very connection. */
  | { readonly type: "established" }
  | { readonly type: "data"; readonly chunk: Uint8Array }
  /** Wake the engine afterwards: only now it acknowledges the end. */
  | { readonly type: "end" }
  | { readonly type: "message"; readonly message: Message }
  /** Messages are taken again, after a `sendMessage` that said false. */
  | { readonly type: "messageDrain" }
  /** What was written is the writer's again, and more may be, after a `mayWrite` that said false. */
  | { readonly type: "drain" }
  /** Our END has been sent, after all that was written. */
  | { readonly type: "flushed" }
  /** Nothing will be sent any more: end the channel. */
  | { readonly type: "finished" }
  /** The session is over: abort the channel, unless that has closed. The last event. */
  | { readonly type: "closed"; readonly error?: Error };

/** How long an abort in good order may take to reach the peer (DESIGN §4). */
const LINGER: Millis = 5000;

/**
 * One session over one ordered pipe of bytes: first the handshake, then the exchange of frames. Drive it
 * with the pipe's bytes; `drive` of `base/drive.ts` does the rest.
 */
export class SessionEngine implements Engine<SessionEvent, Uint8Array> {
  /** The pipe is full: nothing is sent but what cannot wait. */
  blocked = false;
  readonly #initiator: boolean;
  /** Until it is over. */
  #handshake: Initiator | Responder | undefined;
  readonly #patience: Patience;
  readonly #input = new ByteQueue();
  /** Handshake messages, and a last record. */
  readonly #urgent: Uint8Array[] = [];
  readonly #events: SessionEvent[] = [];
  #answer: ((admitted: boolean) => HandshakeStep) | undefined;
  #established: Established | undefined;
  #exchange: Exchange | undefined;
  /** Frames flow: the initiator was told that it won, the responder has heard so. */
  #confirmed = false;
  #paused = true;
  #drainOwed = false;
  /** A `drain` event waits to be polled. */
  #draining = false;
  #flushed = false;
  #endTold = false;
  /** Nothing is sent any more. */
  #finished = false;
  /** The handshake has failed on our side, and the peer is still to hear why. */
  #parting: { readonly error: Error } | undefined;
  #lingerUntil: Instant | undefined;
  /** Over, with an error or without; told once, after what may still be delivered. */
  #closing: { readonly error?: Error } | undefined;
  #closeTold = false;

  /** An initiator's first flight is sent here unless the transport has carried it. */
  constructor(handshake: Initiator | Responder, flightSent: boolean, patience: Patience = DEFAULT_PATIENCE) {
    this.#initiator = handshake.role === "initiator";
    this.#handshake = handshake;
    this.#patience = patience;
    if (handshake.role === "initiator" && !flightSent) this.#urgent.push(handshake.firstFlight());
  }

  /** The peer's static key, base64url as in a connectionInfo entry; undefined until established. */
  get remotePublicKey(): string | undefined {
    return this.#established?.remotePublicKey;
  }

  /** 16 bytes, the same on both sides; undefined until established. */
  get sessionId(): Uint8Array | undefined {
    return this.#established?.sessionId;
  }

  /** Application bytes read and written, and what has been measured. */
  get counters(): { bytesRead: number; bytesWritten: number; rtt?: number; unknownFrames: number } {
    const exchange = this.#exchange;
    if (!exchange) return { bytesRead: 0, bytesWritten: 0, unknownFrames: 0 };
    return {
      bytesRead: exchange.receive.consumed,
      bytesWritten: exchange.send.written,
      unknownFrames: exchange.unknownFrames,
      ...(exchange.rtt === undefined ? {} : { rtt: exchange.rtt }),
    };
  }

  /** Whether the peer that a `peer` event named may come in. */
  answer(admitted: boolean, now: Instant): void {
    const answer = this.#answer;
    this.#answer = undefined;
    if (!answer || this.#closing) return;
    this.#apply(answer(admitted), now);
    this.#advance(now);
  }

  /** The initiator has won its race: it shows itself to the responder, and frames may flow. */
  confirm(): void {
    if (!this.#exchange || this.#confirmed || !this.#initiator) return;
    this.#confirmed = true;
    this.#exchange.confirm();
  }

  /** To be followed by `mayWrite`. Nothing is taken before `established` or after `end`. */
  write(chunk: Uint8Array): void {
    const send = this.#exchange?.send;
    if (send && !send.ended && !this.#closing) send.write(chunk);
  }

  /** Enough waits for a record that is worth sending at once. */
  get pressing(): boolean {
    return (this.#exchange?.send.pending ?? 0) >= WORTH_A_RECORD;
  }

  /** True: what was written has been copied. False: it may be read until the next `drain`; write no more before. */
  mayWrite(): boolean {
    const send = this.#exchange?.send;
    if (!send || send.ended || this.#closing) return false;
    this.#drainOwed = !send.hasRoom;
    return !this.#drainOwed;
  }

  /** Ends our side after all that was written. */
  end(): void {
    this.#exchange?.send.end();
  }

  /** False if it is not established, or too many messages wait. */
  sendMessage(message: Message): boolean {
    return !this.#closing && (this.#exchange?.sendMessage(message) ?? false);
  }

  /** Asks for a sign of life; the round trip shows in `counters`. */
  ping(): void {
    this.#exchange?.ping();
  }

  /** From now on neither data nor end is told. The state before the first `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /**
   * Aborts as `destroy` of `net` does: what waits is dropped, and the peer sees the end, or a reset if
   * something it has sent was not read. False if the peer has nothing to see: abort the pipe.
   */
  leave(now: Instant): boolean {
    const exchange = this.#exchange;
    if (this.#closing || !exchange || !this.#confirmed) {
      this.#closing ??= {};
      return false;
    }
    const unread = exchange.receive.waiting;
    this.#paused = true;
    exchange.send.discard();
    exchange.receive.discard();
    if (unread) this.#fail(systemError("ECONNRESET", "read"), RESET_REASONS.aborted);
    exchange.send.end();
    this.#lingerUntil = now + LINGER;
    if (exchange.send.endAcknowledged) this.#closing ??= {};
    return true;
  }

  /** Breaks the session; the peer is told if there is one. */
  reset(error: Error): void {
    this.#paused = true;
    this.#fail(error, RESET_REASONS.aborted);
  }

  /** The pipe has brought bytes. */
  handleData(chunk: Uint8Array, now: Instant): void {
    if (this.#closing || this.#parting) return;
    this.#input.push(chunk);
    this.#advance(now);
  }

  /** The pipe has ended, which without the peer's END is a loss. */
  handleEnd(): void {
    if (this.#exchange?.receive.ended) return;
    if (this.#parting) this.#closing ??= this.#parting;
    this.#fail(this.#exchange ? systemError("ECONNRESET", "read") : unfinished());
  }

  /** The pipe has closed. */
  handleClose(error?: Error): void {
    const exchange = this.#exchange;
    if (this.#parting) this.#closing ??= this.#parting;
    else if (!exchange) this.#fail(error ?? unfinished());
    else if (!exchange.receive.ended || exchange.send.pending > 0) {
      this.#fail(error ?? systemError("ECONNRESET", "read"));
    } else if (error && !exchange.send.endSent) this.#fail(error);
    else this.#closing ??= {};
  }

  handleTimeout(now: Instant): void {
    if (this.#lingerUntil !== undefined && now >= this.#lingerUntil) this.#closing ??= this.#parting ?? {};
    const error = this.#exchange?.handleTimeout(now);
    if (error && this.#finished) this.#closing ??= {};
    else if (error) this.#fail(error);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const urgent = takeFirst(this.#urgent);
    if (!urgent && this.#parting) this.#finish();
    if (urgent || this.#closing || this.#finished || this.blocked) return urgent;
    const exchange = this.#exchange;
    if (!exchange || !this.#confirmed) return undefined;
    if (this.#draining && exchange.send.pending < WORTH_A_RECORD) return undefined;
    const { send, receive } = exchange;
    if (receive.ended && send.endSent) this.#finish();
    // Whoever answers an END with an END says both in one record.
    if (this.#finished || (receive.ended && !this.#endTold && !this.#paused)) return undefined;
    const record = exchange.nextRecord(now);
    if (exchange.takeMessageDrain()) this.#events.push({ type: "messageDrain" });
    this.#noteSent(exchange);
    return record;
  }

  pollEvent(): SessionEvent | undefined {
    const event = takeFirst(this.#events);
    if (event?.type === "drain") this.#draining = false;
    if (event) return event;
    const exchange = this.#exchange;
    if (exchange && this.#confirmed) {
      const message = exchange.messages.shift();
      if (message) return { type: "message", message };
      const delivery = this.#paused ? undefined : this.#deliver(exchange);
      if (delivery) return delivery;
    }
    return this.#tellClose();
  }

  pollTimeout(): Instant | undefined {
    if (this.#closing) return undefined;
    const next = Math.min(this.#exchange?.nextTimeout() ?? Infinity, this.#lingerUntil ?? Infinity);
    return next === Infinity ? undefined : next;
  }

  #advance(now: Instant): void {
    while (this.#handshake && !this.#closing) {
      const step = this.#handshake.handle(this.#input);
      if (!step) return;
      this.#apply(step, now);
    }
    const exchange = this.#exchange;
    if (!exchange || this.#closing) return;
    exchange.touch(now);
    const error = exchange.handleInput(this.#input, now);
    if (exchange.heard && !this.#confirmed && !this.#initiator) {
      this.#confirmed = true;
      this.#events.push({ type: "established" });
    }
    if (error) this.#fail(error, RESET_REASONS.aborted);
    else if (this.#lingerUntil !== undefined) this.#linger(exchange);
  }

  /** After `leave`: data the peer goes on sending is answered as the kernel would; else its ACK is enough. */
  #linger(exchange: Exchange): void {
    if (exchange.receive.waiting) this.#fail(systemError("ECONNRESET", "read"), RESET_REASONS.aborted);
    else if (exchange.send.endAcknowledged) this.#closing ??= {};
  }

  #apply(step: HandshakeStep, now: Instant): void {
    if (step.type === "peer") {
      this.#answer = step.answer;
      this.#events.push({ type: "peer", publicKey: step.publicKey });
      return;
    }
    if (step.bytes) this.#urgent.push(step.bytes);
    if (step.type === "reply") return;
    const exchange = step.established && new Exchange(step.established, this.#patience, now);
    if (step.type === "failed") {
      if (exchange) this.#urgent.push(exchange.resetRecord(RESET_REASONS.refused));
      if (this.#urgent.length > 0) this.#part(step.error, now);
      else this.#fail(step.error);
      return;
    }
    this.#established = step.established;
    this.#exchange = exchange;
    this.#handshake = undefined;
    if (this.#initiator) this.#events.push({ type: "established" });
  }

  /** The peer hears why before the pipe is let go. */
  #part(error: Error, now: Instant): void {
    this.#handshake = undefined;
    this.#parting = { error };
    this.#lingerUntil = now + LINGER;
  }

  #noteSent(exchange: Exchange): void {
    const { send, receive } = exchange;
    if (this.#drainOwed && send.hasRoom) {
      this.#drainOwed = false;
      this.#draining = true;
      this.#events.push({ type: "drain" });
    }
    if (!send.endSent) return;
    if (!this.#flushed) {
      this.#flushed = true;
      this.#events.push({ type: "flushed" });
    }
    if (receive.ended) this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#events.push({ type: "finished" });
  }

  #deliver(exchange: Exchange): SessionEvent | undefined {
    const chunk = exchange.receive.shift();
    if (chunk) return { type: "data", chunk };
    if (!exchange.receive.ended || this.#endTold) return undefined;
    this.#endTold = true;
    return { type: "end" };
  }

  /** A close in good order waits for the end to be told; one with an error waits for nothing. */
  #tellClose(): SessionEvent | undefined {
    if (!this.#closing || this.#closeTold) return undefined;
    const { error } = this.#closing;
    if (!error && !this.#endTold && this.#lingerUntil === undefined) return undefined;
    this.#closeTold = true;
    return { type: "closed", ...this.#closing };
  }

  #fail(error: Error, tellPeer?: number): void {
    if (this.#closing) return;
    this.#closing = { error };
    if (tellPeer !== undefined && this.#exchange && this.#confirmed && !this.#finished) {
      this.#urgent.push(this.#exchange.resetRecord(tellPeer));
    }
  }
}

/** An emptied queue keeps no memory, of which idle sessions would have two. */
function takeFirst<Item>(queue: Item[]): Item | undefined {
  const first = queue.shift();
  if (first !== undefined && queue.length === 0) queue.length = 0;
  return first;
}

function unfinished(): OnetpError {
  const detail = "the peer closed the connection";
  return new OnetpError("ERR_1TP_HANDSHAKE_FAILED", { phase: "handshake", detail });
}
