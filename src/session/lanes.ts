import { rangeError } from "../base/argument.ts";
import type { LaneSink, MessageLane } from "../contract/message-lane.ts";
import type { Message } from "./exchange.ts";
import { MAX_MESSAGE } from "./frame.ts";

/** What lanes stand on. */
export interface LanesOptions {
  /** Hands a message to the session; false if it takes no more now. */
  readonly send: (message: Message) => boolean;
  /** Runs a task after the current operation. */
  readonly defer: (task: () => void) => void;
}

/** The messages of a session, sorted by their numbers. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #sinks = new Map<number, LaneSink>();
  /** Those whose last message was not taken. */
  readonly #waiting = new Set<number>();
  #over: { readonly error?: Error } | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** @throws ERR_OUT_OF_RANGE */
  lane(number: number): MessageLane {
    if (!Number.isInteger(number) || number < 0 || number > 255)
      throw rangeError("number", "0 to 255", number);
    return {
      send: (body) => this.#send(number, body),
      attach: (sink) => this.#attach(number, sink),
    };
  }

  receive({ channel, body }: Message): void {
    this.#sinks.get(channel)?.onMessage(body);
  }

  /** The session takes messages again. */
  drain(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const number of waiting) this.#sinks.get(number)?.onDrain();
  }

  /** The session is over. Not from inside a call of a lane's owner. */
  close(error?: Error): void {
    if (this.#over) return;
    this.#over = error ? { error } : {};
    const sinks = [...this.#sinks.values()];
    this.#sinks.clear();
    for (const sink of sinks) sink.onClose(error);
  }

  #send(number: number, body: Uint8Array): boolean {
    if (body.length > MAX_MESSAGE) throw rangeError("body", `at most ${MAX_MESSAGE} bytes`, body.length);
    const taken = this.#options.send({ channel: number, body });
    if (!taken) this.#waiting.add(number);
    return taken;
  }

  #attach(number: number, sink: LaneSink): void {
    const { defer } = this.#options;
    const before = this.#sinks.get(number);
    if (before) defer(() => before.onClose());
    const over = this.#over;
    if (over) defer(() => sink.onClose(over.error));
    else this.#sinks.set(number, sink);
  }
}
