import type { UtpConnection } from "../utp/connection.ts";
import { Connection, type ConnectionParts } from "./connection.ts";
import { type Departure, dial, type Target } from "./dialling.ts";
import type { ConnectionSettings } from "./options.ts";
import type { Port } from "./port.ts";

/** The connections of one server or node. */
export class ConnectionSet {
  readonly #accepted = new Set<Connection>();
  readonly #dialled = new Set<Connection>();
  readonly #onEmpty: () => void;
  readonly #onSilence: ConnectionParts["onSilence"];

  /** `onEmpty`: the last connection is gone; `onSilence`: as of a connection. */
  constructor(onEmpty: () => void, onSilence?: ConnectionParts["onSilence"]) {
    this.#onEmpty = onEmpty;
    this.#onSilence = onSilence;
  }

  get accepted(): number {
    return this.#accepted.size;
  }

  get dialled(): number {
    return this.#dialled.size;
  }

  get size(): number {
    return this.#accepted.size + this.#dialled.size;
  }

  *[Symbol.iterator](): IterableIterator<Connection> {
    yield* this.#accepted;
    yield* this.#dialled;
  }

  accept(port: Port, connection: UtpConnection, settings: ConnectionSettings): Connection {
    const { address, port: number } = connection.remote;
    const channel = port.channel(connection, settings.framing);
    return this.#add(this.#accepted, { settings, remote: { host: address, port: number }, channel });
  }

  dial(departure: Departure, target: Target, settings: ConnectionSettings): Connection {
    return this.#add(this.#dialled, dialParts(departure, target, settings));
  }

  #add(kind: Set<Connection>, parts: ConnectionParts): Connection {
    const onSilence = this.#onSilence;
    const onDestroy = (gone: Connection): void => {
      kind.delete(gone);
      if (this.size === 0) this.#onEmpty();
    };
    const connection = new Connection({ ...parts, ...(onSilence ? { onSilence } : {}), onDestroy });
    if (!connection.destroyed) kind.add(connection);
    return connection;
  }
}

/** A connection that is to be dialled. */
export function dialParts(
  departure: Departure,
  target: Target,
  settings: ConnectionSettings,
): ConnectionParts {
  return {
    settings,
    remote: { host: target.host, port: Number(target.port) },
    channel: (signal) => dial(departure, target, settings, signal),
  };
}
