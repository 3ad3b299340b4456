import type { UtpHost } from "./utp-host.ts";

/** A host that a listener and channels share: it keeps the process alive, and its socket, as long as they want. */
export class SharedHost {
  readonly host: UtpHost;
  #keepers = 0;
  #retired = false;
  #waiting: (() => void)[] = [];

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

  /**
   * Nobody listens or dials here any more: the socket closes with the last connection. Resolves when it has, or when
   * those that are left are still in use.
   */
  retire(): Promise<void> {
    this.#retired = true;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#settle();
    });
  }

  #settle(): void {
    if (!this.#retired) return;
    const { endpoint } = this.host;
    if (endpoint.size === 0) this.host.close();
    else for (const connection of endpoint.connections()) if (connection.ending) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
