import type { Channel, ChannelSink } from "../../src/contract/channel.ts";
import type { Clock, Instant, Millis, Timer } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext, Phase, Transport, TransportTraits } from "../../src/contract/transport.ts";

/** What becomes of one dial. */
export interface Outcome {
  /** Opens a channel, rejects with `error`, throws `error` out of `dial` itself, or never settles. */
  readonly does: "open" | "fail" | "throw" | "hang";
  /** Ms until it opens or fails, in one turn with others of that instant; default 0, never within `dial`. */
  readonly after?: Millis;
  readonly error?: unknown;
  /** Told at once, in order. */
  readonly phases?: readonly Phase[];
  /** Does not look at the abort signal: opens or fails all the same, or hangs for good. */
  readonly heedless?: boolean;
}

/** One dial as the transport saw it. */
export interface Dialled {
  readonly endpoint: Endpoint;
  readonly at: Instant;
  readonly context: DialContext;
  channel?: ScriptedChannel;
}

export interface ScriptedTransportOptions {
  readonly type?: string;
  readonly cost?: number;
  readonly datagrams?: boolean;
  readonly connectTimeout?: Millis;
}

/** A transport whose dials end as a script says, in the time of a clock, with nothing behind them. */
export class ScriptedTransport implements Transport {
  readonly type: string;
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  /** Every dial so far, in order. */
  readonly dials: Dialled[] = [];
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #script: (endpoint: Endpoint) => Outcome;

  constructor(clock: Clock, script: (endpoint: Endpoint) => Outcome, options: ScriptedTransportOptions = {}) {
    const { type = "scripted", cost = 0, datagrams = false, connectTimeout = 5_000 } = options;
    this.#clock = clock;
    this.#turns = new Turns(clock);
    this.#script = script;
    this.type = type;
    this.traits = { cost, relayed: false, signaled: false, datagrams };
    this.connectTimeout = connectTimeout;
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint.transportType === this.type;
  }

  dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    const dialled: Dialled = { endpoint, at: this.#clock.now(), context };
    this.dials.push(dialled);
    const { does, after = 0, error, phases = [], heedless = false } = this.#script(endpoint);
    for (const phase of phases) context.onPhase(phase);
    if (does === "throw") throw error;
    return new Promise((resolve, reject) => {
      const { signal } = context;
      const end = (): void => {
        signal.removeEventListener("abort", abort);
        if (does === "fail") {
          reject(error);
          return;
        }
        dialled.channel = new ScriptedChannel(endpoint);
        resolve(dialled.channel);
      };
      const cancel = does === "hang" ? undefined : this.#turns.after(after, end);
      const abort = (): void => {
        cancel?.();
        reject(signal.reason);
      };
      if (!heedless) signal.addEventListener("abort", abort, { once: true });
    });
  }
}

/** Actions in virtual time, all those of one instant in one turn. */
class Turns {
  readonly #clock: Clock;
  readonly #turns = new Map<Instant, { readonly actions: Set<() => void>; readonly timer: Timer }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `action` after so many ms; gives a way to cancel that. */
  after(ms: Millis, action: () => void): () => void {
    const instant = this.#clock.now() + ms;
    const turn = this.#turns.get(instant) ?? this.#arm(instant);
    turn.actions.add(action);
    return () => {
      turn.actions.delete(action);
      if (turn.actions.size > 0) return;
      turn.timer.cancel();
      this.#turns.delete(instant);
    };
  }

  #arm(instant: Instant) {
    const actions = new Set<() => void>();
    const timer = this.#clock.setTimer(instant, () => {
      this.#turns.delete(instant);
      for (const action of actions) action();
    });
    const turn = { actions, timer };
    this.#turns.set(instant, turn);
    return turn;
  }
}

/** A channel that takes everything and brings nothing, until somebody says what comes. */
export class ScriptedChannel implements Channel {
  readonly remote: Endpoint;
  readonly firstFlightSent = false;
  /** What was called, in order; with the error's code for an abort with an error. */
  readonly calls: string[] = [];
  #sink: ChannelSink | undefined;
  #closed = false;

  constructor(remote: Endpoint) {
    this.remote = remote;
  }

  get aborted(): boolean {
    return this.calls.some((call) => call.startsWith("abort"));
  }

  attach(sink: ChannelSink): void {
    this.calls.push("attach");
    this.#sink = sink;
  }

  /** The peer sends this. */
  bring(data: Uint8Array): void {
    this.#sink?.onData(data);
  }

  write(): boolean {
    this.calls.push("write");
    return true;
  }

  end(flushed?: () => void): void {
    this.calls.push("end");
    if (flushed) setImmediate(flushed);
  }

  abort(error?: Error): void {
    this.calls.push(error ? `abort ${(error as { code?: string }).code}` : "abort");
    if (this.#closed) return;
    this.#closed = true;
    setImmediate(() => this.#sink?.onClose(error));
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  ref(): void {
    this.calls.push("ref");
  }

  unref(): void {
    this.calls.push("unref");
  }

  set(option: string, value: unknown): void {
    this.calls.push(`set ${option} ${value}`);
  }

  stats(): { bytesRead: number; bytesWritten: number } {
    return { bytesRead: 0, bytesWritten: 0 };
  }
}
