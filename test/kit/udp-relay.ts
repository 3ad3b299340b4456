import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { Link, type LinkOptions } from "./link.ts";

/** IPv4 and UDP headers in bytes. */
const OVERHEAD = 28;
/** What libutp, too, needs for more than a crawl. */
const BUFFER = 2 * 1024 * 1024;
const LOOPBACK = "127.0.0.1";

interface Crossing {
  readonly data: Uint8Array;
  readonly forward: () => void;
}

/**
 * A simulated path between real sockets on this machine: clients send to `port` and are heard by the target from a port
 * each of their own, with the delay, loss and disorder of a Link each way, in real time.
 */
export class UdpRelay {
  readonly up: Link<Crossing>;
  readonly down: Link<Crossing>;
  readonly #front: Socket;
  readonly #target: number;
  readonly #backs = new Map<number, Socket>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(front: Socket, target: number, link: LinkOptions, seed: number) {
    this.#front = front;
    this.#target = target;
    this.up = new Link(link, 2 * seed);
    this.down = new Link(link, 2 * seed + 1);
    front.on("message", (data, { port }) => this.#fromClient(data, port));
  }

  /** A relay to a port of this machine. */
  static async open(target: number, link: LinkOptions, seed = 1): Promise<UdpRelay> {
    return new UdpRelay(await bind(), target, link, seed);
  }

  get port(): number {
    return this.#front.address().port;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  #fromClient(data: Uint8Array, client: number): void {
    const back = this.#backs.get(client);
    if (back) this.#send(this.up, data, () => back.send(data, this.#target, LOOPBACK));
    else void this.#open(client).then(() => this.#closed || this.#fromClient(data, client));
  }

  async #open(client: number): Promise<void> {
    const back = await bind();
    if (this.#closed || this.#backs.has(client)) {
      back.close();
      return;
    }
    this.#backs.set(client, back);
    back.on("message", (data) => this.#send(this.down, data, () => this.#front.send(data, client, LOOPBACK)));
  }

  #send(link: Link<Crossing>, data: Uint8Array, forward: () => void): void {
    link.send({ data, forward }, data.length + OVERHEAD, performance.now());
    this.#deliver();
  }

  /** Forwards what has arrived by now, and comes again for the next. */
  #deliver(): void {
    const now = performance.now();
    for (const link of [this.up, this.down]) {
      for (let crossing = link.poll(now); crossing; crossing = link.poll(now)) crossing.forward();
    }
    clearTimeout(this.#timer);
    const next = Math.min(this.up.next() ?? Infinity, this.down.next() ?? Infinity);
    if (next < Infinity) this.#timer = setTimeout(() => this.#deliver(), next - now);
  }
}

async function bind(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: BUFFER, sendBufferSize: BUFFER });
  // A port that is closed already answers with ICMP: that is loss, too.
  socket.on("error", () => {});
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  return socket;
}
