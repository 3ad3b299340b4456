import type { Channel, ChannelSink } from "../../src/contract/channel.ts";
import type { Clock, Instant, Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext, Phase, Transport, TransportTraits } from "../../src/contract/transport.ts";

/** What becomes of one dial. */
export interface Outcome {
  /** Opens a channel, rejects with `error`, throws `error` out of `dial` itself, or never settles. */
  readonly does: "open" | "fail" | "throw" | "hang";
  /** Ms until it opens or fails; default 0: in a later turn of the same instant. */
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
  readonly #script: (endpoint: Endpoint) => Outcome;

  constructor(clock: Clock, script: (endpoint: Endpoint) => Outcome, options: ScriptedTransportOptions = {}) {
    const { type = "scripted", cost = 0, datagrams = false, connectTimeout = 5_000 } = options;
    this.#clock = clock;
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
      const timer = does === "hang" ? undefined : this.#clock.setTimer(this.#clock.now() + after, end);
      const abort = (): void => {
        timer?.cancel();
        reject(signal.reason);
      };
      if (!heedless) signal.addEventListener("abort", abort, { once: true });
    });
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
