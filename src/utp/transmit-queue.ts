import type { UtpConnection } from "./connection.ts";

/** Packets one connection may send before the next has its turn (chosen: one receive burst's worth at the peer). */
const BURST = 16;

/** Connections that may have something to transmit, in turns. */
export class TransmitQueue {
  #queue: UtpConnection[] = [];
  #head = 0;
  #burst = 0;

  get empty(): boolean {
    return this.#head === this.#queue.length;
  }

  some(condition: (connection: UtpConnection) => boolean): boolean {
    for (let i = this.#head; i < this.#queue.length; i++) if (condition(this.#queue[i]!)) return true;
    return false;
  }

  add(connection: UtpConnection): void {
    if (connection.queued) return;
    connection.queued = true;
    this.#queue.push(connection);
  }

  /** Whose turn it is. Each call counts as one packet. */
  next(): UtpConnection | undefined {
    const connection = this.#queue[this.#head];
    if (!connection || ++this.#burst <= BURST) return connection;
    this.shift();
    this.add(connection);
    this.#burst = 1;
    return this.#queue[this.#head];
  }

  /** Takes out the one whose turn it is. */
  shift(): void {
    const connection = this.#queue[this.#head];
    if (!connection) return;
    connection.queued = false;
    this.#burst = 0;
    this.#head++;
    if (this.empty || this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}
