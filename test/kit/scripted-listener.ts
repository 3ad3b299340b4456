import type { Channel } from "../../src/contract/channel.ts";
import type { Clock, Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener, Transport, TransportTraits } from "../../src/contract/transport.ts";
import { ScriptedChannel } from "./scripted-transport.ts";

/** What becomes of a listen. */
export interface ListenOutcome {
  readonly does: "listen" | "fail" | "throw" | "hang";
  /** Ms until it listens or fails; default 0: in a later turn of the same instant. */
  readonly after?: Millis;
  readonly error?: unknown;
  /** Ms that `close` takes. */
  readonly closing?: Millis;
  /** What `close` rejects with. */
  readonly closeError?: Error;
}

/** A transport whose listens end as a script says and to which connections come when a test says so. */
export class ScriptedListening implements Transport {
  readonly type: string;
  readonly traits: TransportTraits = { cost: 0, relayed: false, signaled: false };
  readonly connectTimeout: Millis = 5_000;
  /** Of every listen so far, in order. */
  readonly contexts: ListenContext[] = [];
  readonly listeners: ScriptedListener[] = [];
  readonly #clock: Clock;
  readonly #outcome: ListenOutcome;

  constructor(clock: Clock, type: string, outcome: ListenOutcome = { does: "listen" }) {
    this.#clock = clock;
    this.type = type;
    this.#outcome = outcome;
  }

  accepts(): boolean {
    return false;
  }

  dial(): Promise<Channel> {
    return Promise.reject(new Error("nobody dials here"));
  }

  listen(context: ListenContext): Promise<Listener> {
    this.contexts.push(context);
    const { does, after = 0, error } = this.#outcome;
    if (does === "throw") throw error;
    return new Promise((resolve, reject) => {
      if (does === "hang") return;
      this.#clock.setTimer(this.#clock.now() + after, () => {
        if (does === "fail") {
          reject(error);
          return;
        }
        const listener = new ScriptedListener(this.#clock, this.#endpoints(), this.#outcome);
        this.listeners.push(listener);
        resolve(listener);
      });
    });
  }

  /** Two entries, which say the how manieth listen they are of. */
  #endpoints(): Endpoint[] {
    return [1, 2].map((port) => ({
      transportType: this.type,
      transportInfo: { listen: this.contexts.length, port },
    }));
  }

  /** A connection comes in to the latest listener. */
  connect(): ScriptedChannel {
    const channel = new ScriptedChannel({ transportType: this.type, transportInfo: { port: 9 } });
    this.contexts.at(-1)!.onChannel(channel);
    return channel;
  }

  /** The latest listener breaks. */
  break(error: Error): void {
    this.contexts.at(-1)!.onError(error);
  }
}

/** The listener of a ScriptedListening. */
export class ScriptedListener implements Listener {
  readonly endpoints: readonly Endpoint[];
  closed = false;
  referenced = true;
  readonly #clock: Clock;
  readonly #outcome: ListenOutcome;

  constructor(clock: Clock, endpoints: readonly Endpoint[], outcome: ListenOutcome) {
    this.#clock = clock;
    this.endpoints = endpoints;
    this.#outcome = outcome;
  }

  close(): Promise<void> {
    const { closing = 0, closeError } = this.#outcome;
    return new Promise((resolve, reject) => {
      this.#clock.setTimer(this.#clock.now() + closing, () => {
        this.closed = true;
        if (closeError) reject(closeError);
        else resolve();
      });
    });
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }
}
