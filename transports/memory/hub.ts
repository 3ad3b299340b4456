import { systemError } from "../../src/base/errors.ts";
import type { MemoryChannel } from "./channel.ts";

/** Takes a channel that somebody opened to a name. */
export type Accept = (channel: MemoryChannel) => void;

/** A network inside the process: names and who listens on them. */
export class MemoryHub {
  readonly #listeners = new Map<string, Accept>();
  #dials = 0;

  /** Throws EADDRINUSE if somebody listens on the name already. */
  listen(name: string, accept: Accept): void {
    if (this.#listeners.has(name)) throw systemError("EADDRINUSE", "listen", name);
    this.#listeners.set(name, accept);
  }

  has(name: string): boolean {
    return this.#listeners.has(name);
  }

  release(name: string): void {
    this.#listeners.delete(name);
  }

  /** Whom to give a channel to `name`. Throws ECONNREFUSED if nobody listens on the name. */
  find(name: string): Accept {
    const accept = this.#listeners.get(name);
    if (!accept) throw systemError("ECONNREFUSED", "connect", name);
    return accept;
  }

  /** A name for the dialling end, as TCP has its ephemeral ports. */
  nextDialer(): string {
    this.#dials += 1;
    return `dialer-${this.#dials}`;
  }
}

/** What all transports of a process share unless told otherwise. */
export const processHub = new MemoryHub();
