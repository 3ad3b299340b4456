import type { Clock, Millis, Timer } from "../contract/clock.ts";
import type { UtpHost } from "./utp-host.ts";

/** A host that a listener and channels share: it keeps the process alive, and its socket, as long as they want. */
export class SharedHost {
  readonly host: UtpHost;
  /** Called when the socket has closed because nobody needs it. */
  onClosed: (() => void) | undefined;
  #keepers = 0;
  #retired = false;
  #waiting: (() => void)[] = [];
  #linger: { readonly clock: Clock; readonly time: Millis } | undefined;
  #closing: Timer | undefined;

  constructor(host: UtpHost) {
    this.host = host;
    host.unref();
    host.onSize = () => this.#settle();
  }

  /** One user more, or less, wants the process to stay alive. */
  keep(referenced: boolean): void {
    this.#keepers += referenced ? 1 : -1;
    if (this.#keepers > 0) this.host.ref();
    else this.host.unref();
  }

  /** Nobody listens or dials here any more: the socket closes with the last connection. A dial that comes all the same delays that. */
  leave(): void {
    this.#retired = true;
    this.#settle();
  }

  /** The socket stays open for up to `time` after its last connection: who dials again by then finds it. */
  linger(clock: Clock, time: Millis): void {
    this.#linger = { clock, time };
  }

  /** As `leave`; resolves when the socket has closed, or when the connections that are left are still in use. */
  retire(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.leave();
    });
  }

  #settle(): void {
    if (!this.#retired) return;
    const { endpoint } = this.host;
    if (endpoint.size === 0) this.#rest();
    else if (this.#waiting.length > 0) {
      for (const connection of endpoint.connections()) if (connection.ending) return;
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Nobody needs the socket now. */
  #rest(): void {
    if (!this.#linger || this.host.closed) {
      this.#close();
      return;
    }
    // The process may end meanwhile.
    this.host.bidFarewell();
    if (this.#closing) return;
    const { clock, time } = this.#linger;
    this.#closing = clock.setTimer(clock.now() + time, () => {
      this.#closing = undefined;
      if (this.host.endpoint.size === 0) this.#close();
    });
    this.#closing.unref();
  }

  #close(): void {
    this.#closing?.cancel();
    this.host.close();
    this.onClosed?.();
  }
}
