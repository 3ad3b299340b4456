import { TokenBucket } from "../../src/base/token-bucket.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type { LaneSink, MessageLane } from "../../src/contract/message-lane.ts";
import { Outbox } from "../registrar/outbox.ts";
import { MAX_FRAME } from "../registrar/protocol.ts";
import { encodeEnd, encodeFrame, encodeRelayedFrame, LaneReader } from "./wire.ts";

/** Visits a second (chosen: clients need one). Each has limits of its own, and all those of one address share some. */
const VISIT_RATE = 4;

/** What guests tell the house. */
export interface GuestSink {
  /** A visit begins; one that was there before is over. */
  onBegin(): void;
  /** A frame has come; undefined: one that is no text. */
  onFrame(frame: string | undefined): void;
  /** What is to be relayed for it has come. */
  onRelayed(frame: Uint8Array): void;
  /** The next frame that was relayed to it. */
  takeRelayed(): Uint8Array | undefined;
  /** The visit is over: exactly once for each that began. */
  onEnd(): void;
  /** Too much waits for this guest, and this dialog has the largest part of it. */
  onFlood(dialog: number): void;
}

/** A client of an introducing server: one visit at a time over the lane of its connection. */
export class Guest implements LaneSink {
  readonly #lane: MessageLane;
  readonly #sink: GuestSink;
  readonly #limit: number;
  readonly #now: () => Instant;
  readonly #reader = new LaneReader(MAX_FRAME);
  readonly #begins = new TokenBucket(VISIT_RATE);
  #outbox = new Outbox();
  /** Undefined between visits. */
  #visit: number | undefined;

  /** `limit`: bytes that may wait for it. */
  constructor(lane: MessageLane, limit: number, now: () => Instant, sink: GuestSink) {
    this.#lane = lane;
    this.#now = now;
    this.#limit = limit;
    this.#sink = sink;
    lane.attach(this);
  }

  onMessage(body: Uint8Array): void {
    const message = this.#reader.read(body);
    if (!message) return;
    if (message.type === "begin") this.#begin(message.visit);
    else if (message.visit !== this.#visit) return;
    else if (message.type === "frame") this.#sink.onFrame(message.frame);
    else if (message.type === "relayed") this.#sink.onRelayed(message.frame);
    else this.#over();
  }

  onDrain(): void {
    this.#flush();
  }

  onClose(): void {
    this.#over();
  }

  /** Sends a frame when its dialog has its turn. */
  send(frame: string, dialog?: number): void {
    if (this.#visit === undefined) return;
    this.#outbox.push(encodeFrame(this.#visit, frame), dialog);
    this.#flush();
    if (this.#outbox.size <= this.#limit) return;
    const flooded = this.#outbox.dropLargest();
    if (flooded === undefined) this.end(1008, "too much waits for an answer to be read");
    else this.#sink.onFlood(flooded);
  }

  /** There may be something in `takeRelayed`. */
  relay(): void {
    this.#flush();
  }

  /** Ends the visit, and says why. The connection stays. */
  end(status: number, reason: string): void {
    if (this.#visit === undefined) return;
    this.#outbox.push([encodeEnd(this.#visit, status, reason)]);
    this.#over();
    this.#flush();
  }

  #begin(visit: number): void {
    this.#over();
    this.#outbox = new Outbox();
    if (this.#begins.take(this.#now())) {
      this.#visit = visit;
      this.#sink.onBegin();
    } else {
      this.#outbox.push([encodeEnd(visit, 1013, `at most ${VISIT_RATE} visits a second`)]);
      this.#flush();
    }
  }

  #over(): void {
    if (this.#visit === undefined) return;
    this.#visit = undefined;
    this.#sink.onEnd();
  }

  /** Relayed frames leave only when nothing else waits, so that signals overtake them. */
  #flush(): void {
    const send = (message: Uint8Array): boolean => this.#lane.send(message);
    this.#outbox.flush(send);
    while (this.#visit !== undefined && this.#outbox.size === 0) {
      const frame = this.#sink.takeRelayed();
      if (!frame) return;
      this.#outbox.push([encodeRelayedFrame(this.#visit, frame)]);
      this.#outbox.flush(send);
    }
  }
}
