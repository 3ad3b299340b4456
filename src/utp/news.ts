import type { UtpConnection } from "./connection.ts";
import type { ConnectionOwner } from "./connection-parts.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";

/** What the user of a connection has been told, so that everything is told once. */
export class News {
  /** A `write` returned false. */
  drainWanted = false;
  #readable = false;
  #end = false;
  #finished = false;
  readonly #owner: ConnectionOwner;
  readonly #connection: UtpConnection;

  constructor(owner: ConnectionOwner, connection: UtpConnection) {
    this.#owner = owner;
    this.#connection = connection;
  }

  /** The user has read everything: more data is news again. */
  readToEnd(): void {
    this.#readable = false;
  }

  /** Tells what is new about reading and ending. True when both directions have ended in good order. */
  tell(receiver: Receiver, sender: Sender): boolean {
    if (sender.finished && !this.#finished) {
      this.#finished = true;
      this.#owner.emit(this.#connection, "finished");
    }
    if (receiver.unread > 0 && !this.#readable) {
      this.#readable = true;
      this.#owner.emit(this.#connection, "readable");
    }
    if (receiver.exhausted && !this.#end) {
      this.#end = true;
      this.#owner.emit(this.#connection, "end");
    }
    return this.#end && this.#finished;
  }

  /** Tells that there is room to write, if that was wanted and less than `limit` bytes wait. */
  drain(unsent: number, limit: number): void {
    if (!this.drainWanted || unsent > limit) return;
    this.drainWanted = false;
    this.#owner.emit(this.#connection, "drain");
  }
}
