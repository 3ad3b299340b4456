import { OnetpError, systemError } from "../base/errors.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { decodeFrames, type Frame, FrameWriter, RESET_REASONS } from "./frame.ts";
import { type Established, notAdmitted } from "./handshake.ts";
import { ReceiveStream } from "./receive-stream.ts";
import { MAX_PLAINTEXT, sealRecord, takeRecord } from "./record.ts";
import { RoundTrip } from "./round-trip.ts";
import { SendStream } from "./send-stream.ts";

/** Ms without a byte from the peer after which it is asked whether it is there, and after which it is gone. */
export interface Patience {
  readonly pingAfter: Millis;
  readonly silenceLimit: Millis;
}

/** Chosen: within what people wait for, and rare enough for a phone's battery. */
export const DEFAULT_PATIENCE: Patience = { pingAfter: 20_000, silenceLimit: 60_000 };

/** A timer that fires this late was held up with its whole process: the peer gets another chance (chosen). */
const HELD_UP: Millis = 1000;

/** Chosen: over a slow path the peer hears of progress before it takes us for gone. */
const ACK_DELAY: Millis = 10_000;

/** Chosen: long enough for an answering END to go in the same record, too short to be noticed. */
const END_ACK_DELAY: Millis = 5;

/** MESSAGE frames that may wait (chosen: a quarter of a MiB at most, so that no lane waits for another for long). */
const MAX_MESSAGES = 16;

/** While the byte stream has something to send, messages begin in the first half of a record: half of the way is the stream's. */
const MESSAGE_SHARE = MAX_PLAINTEXT / 2;

/** A message outside the byte stream. */
export interface Message {
  /** 0 to 255. */
  readonly channel: number;
  readonly body: Uint8Array;
}

/** Every record is built here and copied by its encryption. */
const plaintext = new Uint8Array(MAX_PLAINTEXT);
const writer = new FrameWriter(plaintext);

/** The frames of a session that has its keys, both ways, and the timers that go with them. */
export class Exchange {
  readonly send = new SendStream();
  readonly receive = new ReceiveStream();
  /** Messages that have come. */
  readonly messages: Message[] = [];
  /** Frames of unknown types that were skipped. */
  unknownFrames = 0;
  readonly #keys: Established;
  readonly #patience: Patience;
  readonly #roundTrip = new RoundTrip();
  /** When the peer has been silent for so long that something is to be done about it. */
  #silentAt: Instant = 0;
  /** It was asked for a sign of life. */
  #asked = false;
  #ackAt: Instant = Infinity;
  readonly #outgoing: Message[] = [];
  #drainOwed = false;
  #heard = false;
  #confirmDue = false;
  #pingDue = false;
  #pong: number | undefined;
  #ackDue = false;

  constructor(keys: Established, patience: Patience, now: Instant) {
    this.#keys = keys;
    this.#patience = patience;
    this.touch(now);
  }

  /** The peer has sent a record: it holds the keys of this very handshake. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Smoothed, in ms. */
  get rtt(): Millis | undefined {
    return this.#roundTrip.smoothed;
  }

  /** The peer has shown a sign of life. */
  touch(now: Instant): void {
    this.#asked = false;
    this.#silentAt = now + this.#patience.pingAfter;
  }

  confirm(): void {
    this.#confirmDue = true;
  }

  ping(): void {
    this.#pingDue = true;
  }

  /** False if too many wait already. */
  sendMessage(message: Message): boolean {
    if (this.#outgoing.length < MAX_MESSAGES) return this.#outgoing.push(message) > 0;
    this.#drainOwed = true;
    return false;
  }

  /** Whether messages are taken again, after one was refused; once. */
  takeMessageDrain(): boolean {
    if (!this.#drainOwed || this.#outgoing.length > 0) return false;
    this.#drainOwed = false;
    return true;
  }

  /** Takes every whole record; an error if one breaks the session. */
  handleInput(input: ByteQueue, now: Instant): Error | undefined {
    for (;;) {
      const record = takeRecord(input, this.#keys.receive);
      if (record === "incomplete") return undefined;
      if (record === "forged") return broken("a record is not authentic");
      const frames = decodeFrames(record);
      if (!frames) return broken("a frame is malformed or of an unknown type");
      for (const frame of frames) {
        const error = this.#handleFrame(frame, now);
        if (error) return error;
      }
      this.#heard = true;
    }
  }

  #handleFrame(frame: Frame, now: Instant): Error | undefined {
    switch (frame.type) {
      case "data":
        if (!this.receive.handleData(frame.offset, frame.body))
          return broken("data is out of order or window");
        return this.#expectAck(now + ACK_DELAY);
      case "end":
        if (!this.receive.handleEnd(frame.offset)) return broken("the end is not where the data ends");
        return this.#expectAck(now + END_ACK_DELAY);
      case "ack":
        return this.send.handleAck(frame.offset, frame.window) ? undefined : broken("an ACK of nothing sent");
      case "reset":
        return frame.reason === RESET_REASONS.refused ? notAdmitted() : systemError("ECONNRESET", "read");
      case "ping":
        this.#pong = frame.token;
        return undefined;
      case "pong":
        this.#roundTrip.end(frame.token, now);
        return undefined;
      case "message":
        this.messages.push({ channel: frame.channel, body: frame.body });
        return undefined;
      case "confirm":
        return undefined;
      case "unknown":
        this.unknownFrames++;
        return undefined;
    }
  }

  #expectAck(latest: Instant): undefined {
    this.#ackAt = Math.min(this.#ackAt, latest);
    return undefined;
  }

  /** The next record with all there is to say; undefined if there is nothing. */
  nextRecord(now: Instant): Uint8Array | undefined {
    writer.length = 0;
    this.#writeControl(now);
    const share = this.send.pending > 0 ? MESSAGE_SHARE : MAX_PLAINTEXT;
    for (let next = this.#outgoing[0]; next; next = this.#outgoing[0]) {
      if (writer.length >= share || next.body.length + 4 > writer.room) break;
      writer.write({ type: "message", ...next });
      this.#outgoing.shift();
    }
    this.send.fill(writer);
    return writer.length === 0
      ? undefined
      : sealRecord(this.#keys.send, plaintext.subarray(0, writer.length));
  }

  #writeControl(now: Instant): void {
    if (this.#confirmDue) writer.write({ type: "confirm" });
    this.#confirmDue = false;
    const { receive, send } = this;
    const endsToo = receive.ended && send.ended && receive.unacknowledged;
    if (this.#ackDue || receive.ackDue || endsToo) {
      writer.write({ type: "ack", ...receive.takeAck(now, this.rtt) });
      this.#ackDue = false;
      this.#ackAt = Infinity;
      // Whoever receives this much wants to know how large a window to grant.
      if (!receive.ended && this.#roundTrip.isStale(now)) this.#pingDue = true;
    }
    if (this.#pingDue) writer.write({ type: "ping", token: this.#roundTrip.begin(now) });
    this.#pingDue = false;
    if (this.#pong !== undefined) writer.write({ type: "pong", token: this.#pong });
    this.#pong = undefined;
  }

  /** A record that ends the session. */
  resetRecord(reason: number): Uint8Array {
    writer.length = 0;
    writer.write({ type: "reset", reason });
    return sealRecord(this.#keys.send, plaintext.subarray(0, writer.length));
  }

  /** An error if the peer has been silent for too long. */
  handleTimeout(now: Instant): Error | undefined {
    if (now >= this.#ackAt) {
      this.#ackAt = Infinity;
      this.#ackDue = this.receive.unacknowledged;
    }
    if (now < this.#silentAt) return undefined;
    if (this.#asked && now - this.#silentAt < HELD_UP) return systemError("ETIMEDOUT", "read");
    this.#asked = true;
    this.#pingDue = true;
    this.#silentAt = now + this.#patience.silenceLimit - this.#patience.pingAfter;
    return undefined;
  }

  nextTimeout(): Instant {
    return Math.min(this.#silentAt, this.#ackAt);
  }
}

function broken(detail: string): Error {
  return new OnetpError("ERR_1TP_BAD_FRAME", { phase: "transfer", detail });
}
