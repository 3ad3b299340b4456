import type { DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { BindDatagram } from "../../src/host/local-sockets.ts";
import type { PunchDatagram } from "../../src/nat/punch-event.ts";
import type { ExtraSocket } from "../../src/nat/trick.ts";
import { type CheckReceiver, PunchPort } from "./punch-port.ts";

/** Extra sockets of one punch (chosen: what the birthday needs, and a few). */
const MAX_SOCKETS = 264;

/** The sockets that tricks have asked for: bare ones, until one of them turns out to be the way. */
export class ExtraSockets {
  readonly #bind: BindDatagram;
  readonly #runtime: Runtime;
  readonly #receiver: CheckReceiver;
  readonly #nextVia: () => number;
  readonly #sockets = new Map<number, DatagramSocket>();
  #closed = false;

  /** `nextVia` numbers them, among all that share the usual sockets. */
  constructor(bind: BindDatagram, runtime: Runtime, receiver: CheckReceiver, nextVia: () => number) {
    this.#bind = bind;
    this.#runtime = runtime;
    this.#receiver = receiver;
    this.#nextVia = nextVia;
  }

  /** Opens IPv4 sockets on any ports: as many as the system gives. */
  async open(count: number): Promise<readonly ExtraSocket[]> {
    const wanted = Math.min(count, MAX_SOCKETS - this.#sockets.size);
    const binding = Array.from({ length: wanted }, () => this.#bind({ address: "0.0.0.0" }));
    const opened: ExtraSocket[] = [];
    for (const result of await Promise.allSettled(binding)) {
      if (result.status === "rejected") continue;
      const socket = result.value;
      if (this.#closed) socket.close();
      else opened.push({ via: this.#take(socket), port: socket.local.port });
    }
    return opened;
  }

  #take(socket: DatagramSocket): number {
    const via = this.#nextVia();
    socket.unref();
    this.#sockets.set(via, socket);
    socket.attach({
      onDatagram: (data, remote: SocketAddress) => void this.#receiver.receiveCheck(data, remote, via),
    });
    return via;
  }

  send({ via, data, remote, ttl }: PunchDatagram): void {
    this.#sockets.get(via)?.send(data, remote, ttl);
  }

  /** One of them is a way: it is a port like the usual ones from now on, and the caller's. */
  promote(via: number): PunchPort | undefined {
    const socket = this.#sockets.get(via);
    this.#sockets.delete(via);
    return socket && new PunchPort(socket, via, this.#runtime, this.#receiver);
  }

  /** Closes all that were not promoted. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}
