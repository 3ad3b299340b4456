import type { Channel, ChannelSink } from "../../src/contract/channel.ts";

interface Waiter {
  readonly what: string;
  readonly done: () => boolean;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Holds one end of a channel: calls its methods, records what its sink hears, and notes every breach of
 * the rules of `contract/channel.ts` in `breaches`.
 */
export class ChannelProbe implements ChannelSink {
  readonly channel: Channel;
  /** `data`, `drain`, `end` and `close` in the order they came. */
  readonly events: string[] = [];
  readonly breaches: string[] = [];
  /** What came, as it came. */
  readonly chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #refused = false;
  #ended = false;
  #attached = false;
  #closed: { readonly error: Error | undefined } | undefined;
  /** The Channel methods that are running now. */
  readonly #running: string[] = [];
  #waiters: Waiter[] = [];
  /** What the test does about data, after it was recorded. */
  reaction: (() => void) | undefined;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get attached(): boolean {
    return this.#attached;
  }

  /** What `onClose` said, once it has. */
  get closed(): { readonly error: Error | undefined } | undefined {
    return this.#closed;
  }

  /** Whether the last `write` was refused and no drain has come since. */
  get refused(): boolean {
    return this.#refused;
  }

  received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  attach(): this {
    this.#attached = true;
    this.#call("attach", () => this.channel.attach(this));
    return this;
  }

  write(data: Uint8Array | string): boolean {
    const chunk = typeof data === "string" ? Buffer.from(data) : data;
    const accepted = this.#call("write", () => this.channel.write(chunk));
    this.#refused = !accepted;
    return accepted;
  }

  end(flushed?: () => void): void {
    this.#call("end", () =>
      this.channel.end(
        flushed &&
          (() => {
            if (this.#running.length > 0) this.breaches.push("flushed inside a method");
            flushed();
            this.#settle();
          }),
      ),
    );
  }

  abort(error?: Error): void {
    this.#call("abort", () => this.channel.abort(error));
  }

  pause(): void {
    this.#paused = true;
    this.#call("pause", () => this.channel.pause());
  }

  resume(): void {
    this.#paused = false;
    this.#call("resume", () => this.channel.resume());
  }

  /** Resolves once `done` holds, looked at after every event; rejects if the channel closes before. */
  until(what: string, done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ what, done, resolve, reject });
      this.#settle();
    });
  }

  /** Writes a copy of `data` piece by piece, waiting whenever the channel asks for it. */
  async send(data: Uint8Array, nextSize: () => number = () => 65536): Promise<void> {
    for (let at = 0; at < data.length; ) {
      const size = nextSize();
      if (!this.write(data.slice(at, at + size))) await this.until("drain", () => !this.#refused);
      at += size;
    }
  }

  onData(chunk: Uint8Array): void {
    this.#hear("data");
    if (this.#paused) this.breaches.push("data while paused");
    if (this.#ended) this.breaches.push("data after end");
    if (chunk.length === 0) this.breaches.push("data of no bytes");
    this.chunks.push(chunk);
    this.#bytes += chunk.length;
    this.reaction?.();
    this.#settle();
  }

  onDrain(): void {
    this.#hear("drain");
    if (!this.#refused) this.breaches.push("drain without a refused write");
    this.#refused = false;
    this.#settle();
  }

  onEnd(): void {
    this.#hear("end");
    if (this.#paused) this.breaches.push("end while paused");
    if (this.#ended) this.breaches.push("a second end");
    this.#ended = true;
    this.#settle();
  }

  onClose(error?: Error): void {
    this.#hear("close");
    this.#closed = { error };
    this.#settle();
  }

  #hear(event: string): void {
    this.events.push(event);
    if (this.#running.length > 0) this.breaches.push(`${event} inside ${this.#running.join(" inside ")}`);
    if (this.#closed) this.breaches.push(`${event} after close`);
    if (!this.#attached) this.breaches.push(`${event} before attach`);
  }

  #call<T>(method: string, work: () => T): T {
    this.#running.push(method);
    try {
      return work();
    } finally {
      this.#running.pop();
    }
  }

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.done()) waiter.resolve();
      else if (!this.#closed) this.#waiters.push(waiter);
      else waiter.reject(new Error(`closed while waiting for ${waiter.what}`, { cause: this.#closed.error }));
    }
  }
}
