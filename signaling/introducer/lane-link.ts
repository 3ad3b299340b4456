import { nextTurn } from "#platform";
import { OnetpError } from "../../src/base/errors.ts";
import type { MessageLane } from "../../src/contract/message-lane.ts";
import type { WebSocketClose, WebSocketLink, WebSocketSink } from "../../src/contract/web-socket.ts";
import { MAX_FRAME } from "../registrar/protocol.ts";
import { encodeBegin, encodeEnd, encodeFrame, encodeRelayedFrame, LaneReader } from "./wire.ts";

/** Messages that may wait for a connection that is slow, beside its own sixteen (chosen: 1 MiB). */
const MAX_WAITING = 64;

/** What may have come and not been handed out (chosen: the windows of thirty-two relayed channels, and as much again). */
const MAX_HELD = 16_777_216;
/** What a frame costs beside its bytes, as in a relay's window. */
const FRAME_COST = 64;

/**
 * A visit to an introducer as the link that `Visit` wants. Its end leaves the connection as it is. Frames are handed out
 * one a turn, so that whoever awaits what one of them brings is ready for the next.
 */
export class LaneLink implements WebSocketLink {
  readonly #lane: MessageLane;
  readonly #visit: number;
  readonly #sink: WebSocketSink;
  readonly #reader = new LaneReader(MAX_FRAME);
  /** Not taken by the lane yet. */
  readonly #waiting: Uint8Array[] = [];
  readonly #received: (string | Uint8Array)[] = [];
  /** What `received` costs. */
  #held = 0;
  #lent = false;
  #over: WebSocketClose | undefined;
  #turnDue = false;

  /** `visit`: its number, 0 to 255. */
  constructor(lane: MessageLane, visit: number, sink: WebSocketSink) {
    this.#lane = lane;
    this.#visit = visit;
    this.#sink = sink;
    lane.attach({
      onMessage: (body) => this.#receive(body),
      onDrain: () => this.#drained(),
      onClose: (error) => this.#end({ status: 1006, reason: "", error }),
    });
    this.#say([encodeBegin(visit)]);
    nextTurn(() => {
      if (!this.#over) sink.onOpen?.();
    });
  }

  get buffered(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  get lent(): boolean {
    return this.#lent;
  }

  /** @throws OnetpError `ERR_1TP_SIGNALING_LIMIT` for a signal, which has two lines, when too much waits. */
  send(message: string | Uint8Array): void {
    if (this.#over) return;
    if (typeof message !== "string") {
      this.#say([encodeRelayedFrame(this.#visit, message)]);
      return;
    }
    if (this.#waiting.length >= MAX_WAITING && message.includes("\n")) {
      const detail = "the connection to the introducer is too slow for so many signals";
      throw new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail });
    }
    this.#say(encodeFrame(this.#visit, message));
  }

  close(status: number, reason: string): void {
    if (this.#over) return;
    this.#say([encodeEnd(this.#visit, status, reason)]);
    this.#end({ status, reason });
  }

  terminate(): void {
    this.close(1006, "");
  }

  /** The connection keeps the process alive, or not, as its owner wants. */
  ref(): void {}

  unref(): void {}

  #say(messages: readonly Uint8Array[]): void {
    this.#waiting.push(...messages);
    this.#flush();
  }

  #flush(): void {
    while (this.#waiting[0] && this.#lane.send(this.#waiting[0])) this.#waiting.shift();
    this.#lent = this.#waiting.length > 0;
  }

  #drained(): void {
    const lent = this.#lent;
    this.#flush();
    if (lent && !this.#lent && !this.#over) this.#sink.onDrain?.();
  }

  #receive(body: Uint8Array): void {
    const message = this.#reader.read(body);
    if (!message || message.visit !== this.#visit || this.#over) return;
    if (message.type === "end") this.#end({ status: message.status, reason: message.reason });
    else if (message.type === "begin") return;
    else if (message.frame === undefined) this.close(1007, "that is no text");
    else this.#keep(message.frame);
  }

  #keep(frame: string | Uint8Array): void {
    this.#held += frame.length + FRAME_COST;
    if (this.#held > MAX_HELD) {
      this.#received.length = 0;
      this.close(1008, "more than anybody has asked for");
      return;
    }
    this.#received.push(frame);
    this.#wake();
  }

  #end(close: WebSocketClose): void {
    if (this.#over) return;
    this.#over = close;
    this.#wake();
  }

  #wake(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    nextTurn(() => {
      this.#turnDue = false;
      const frame = this.#received.shift();
      if (frame !== undefined) {
        this.#held -= frame.length + FRAME_COST;
        if (this.#received.length > 0 || this.#over) this.#wake();
        this.#sink.onMessage(frame);
      } else if (this.#over) this.#sink.onClose(this.#over);
    });
  }
}
