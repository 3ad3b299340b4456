import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { UtpConnection } from "./connection.ts";

/** Connections by remote address, port and the id in packets to us. */
export class ConnectionTable {
  size = 0;
  readonly #hosts = new Map<string, Map<number, UtpConnection>>();
  /** The one found last: bulk traffic comes in runs. */
  #last: UtpConnection | undefined;

  find({ address, port }: SocketAddress, id: number): UtpConnection | undefined {
    const last = this.#last;
    if (last?.receiveId === id && last.remote.port === port && last.remote.address === address) return last;
    const found = this.#hosts.get(address)?.get(key(port, id));
    if (found) this.#last = found;
    return found;
  }

  /** False if the place is taken. */
  add(connection: UtpConnection): boolean {
    const { address, port } = connection.remote;
    let host = this.#hosts.get(address);
    if (!host) {
      host = new Map();
      this.#hosts.set(address, host);
    }
    const at = key(port, connection.receiveId);
    if (host.has(at)) return false;
    host.set(at, connection);
    this.size++;
    return true;
  }

  remove(connection: UtpConnection): void {
    const { address, port } = connection.remote;
    const host = this.#hosts.get(address);
    if (host?.get(key(port, connection.receiveId)) !== connection) return;
    host.delete(key(port, connection.receiveId));
    if (host.size === 0) this.#hosts.delete(address);
    if (this.#last === connection) this.#last = undefined;
    this.size--;
  }

  /** Gives a connection another remote; false if the place is taken. */
  move(connection: UtpConnection, { address, port }: SocketAddress): boolean {
    if (this.#hosts.get(address)?.has(key(port, connection.receiveId))) return false;
    this.remove(connection);
    connection.remote = { address, port };
    return this.add(connection);
  }

  /** All connections with one remote. */
  to({ address, port }: SocketAddress): UtpConnection[] {
    const host = this.#hosts.get(address)?.values() ?? [];
    return [...host].filter(({ remote }) => remote.port === port);
  }

  *[Symbol.iterator](): IterableIterator<UtpConnection> {
    for (const host of this.#hosts.values()) yield* host.values();
  }
}

function key(port: number, id: number): number {
  return port * 65_536 + id;
}
