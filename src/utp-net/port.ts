import { borrowDatagram, type DgramSocket, nextTick } from "#platform";
import { nodeError, OnetpError, systemError } from "../base/errors.ts";
import { ipFamily } from "../base/ip.ts";
import { socketEndpoint } from "../base/socket-address.ts";
import type {
  BindOptions,
  DatagramSink,
  DatagramSocket,
  SocketAddress,
} from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { DialOrigin } from "../host/dial.ts";
import { type Framing, UtpChannel } from "../host/utp-channel.ts";
import { UtpHost } from "../host/utp-host.ts";
import type { UtpConnection } from "../utp/connection.ts";
import type { ConnectionOptions as EngineOptions } from "../utp/options.ts";
import type { Family } from "./resolution.ts";

/** A receive buffer of this size carries a fast sender through a pause of the event loop (as in the udp transport). */
const BUFFER_SIZE = 2 * 1024 * 1024;

/** Where a UDP socket is bound, as dgram says it. */
export interface BoundAddress {
  /** IP literal. */
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

/** Who uses a port. */
export interface PortHolder {
  /** The owner of the socket has closed it. */
  onPortLost?(): void;
}

/** One UDP port with the uTP connections on it. It closes when it has neither holders nor connections. */
export class Port implements DialOrigin, DatagramSink {
  readonly host: UtpHost;
  readonly family: Family;
  /** Gets the datagrams that are not uTP's. */
  onStranger: ((data: Uint8Array, remote: SocketAddress) => void) | undefined;
  /** It is of no use any more. */
  closing = false;
  /** Of a port on a socket that is not ours. */
  readonly #onClosing: (() => void) | undefined;
  readonly #holders = new Set<PortHolder>();
  #waiting: (() => void)[] = [];
  #closed = false;
  #listening = false;
  #keepers = 0;

  /** `onClosing`, for a socket of somebody else's: the port has no use for it any more. */
  constructor(socket: DatagramSocket, runtime: Runtime, onClosing?: () => void) {
    this.host = new UtpHost(socket, runtime);
    this.family = ipFamily(socket.local.address);
    this.#onClosing = onClosing;
    this.host.unref();
    this.host.onSize = () => this.#settle();
    this.host.demultiplexer.rest = this;
  }

  get local(): SocketAddress {
    return this.host.socket.local;
  }

  /** As `address()` of a dgram socket. */
  get address(): BoundAddress {
    const { address, port } = this.local;
    return { address, family: `IPv${this.family || 4}`, port };
  }

  /** Keeps the port open until `release`. */
  hold(holder: PortHolder): void {
    this.#holders.add(holder);
  }

  /** `done` follows when the port is closed, or soon if that is up to the owner of the socket. */
  release(holder: PortHolder, done?: () => void): void {
    this.#holders.delete(holder);
    if (done && (this.#closed || this.#onClosing)) nextTick(done);
    else if (done) this.#waiting.push(done);
    this.#settle();
  }

  #settle(): void {
    if (this.closing || this.#holders.size > 0 || this.host.endpoint.size > 0) return;
    this.#startClosing();
    this.host.close();
  }

  #startClosing(): void {
    if (this.closing) return;
    this.closing = true;
    this.#onClosing?.();
  }

  keep(referenced: boolean): void {
    this.#keepers += referenced ? 1 : -1;
    if (this.#keepers > 0) this.host.ref();
    else this.host.unref();
  }

  /** Accepts connections with these options. @throws EADDRINUSE if somebody else does on the same socket. */
  listen(onConnection: (connection: UtpConnection) => void, options: EngineOptions): void {
    if (this.#listening) throw systemError("EADDRINUSE", "listen", this.local.address, this.local.port);
    this.#listening = true;
    this.host.listen(onConnection, options);
  }

  stopListening(): void {
    this.#listening = false;
    this.host.stopListening();
  }

  /** A connection on this port as a channel. */
  channel(connection: UtpConnection, framing: Framing | undefined): UtpChannel {
    const { remote } = connection;
    return new UtpChannel({
      host: this.host,
      connection,
      remote: socketEndpoint("udp", remote.address, remote.port),
      local: socketEndpoint("udp", this.local.address, this.local.port),
      firstFlightSent: false,
      keep: (referenced) => this.keep(referenced),
      ...(framing ? { framing } : {}),
    });
  }

  onDatagram(data: Uint8Array, remote: SocketAddress): void {
    if (this.onStranger) this.onStranger(data, remote);
    else this.host.demultiplexer.dropped++;
  }

  onClose(): void {
    this.#startClosing();
    this.#closed = true;
    for (const holder of this.#holders) holder.onPortLost?.();
    this.#holders.clear();
    for (const done of this.#waiting.splice(0)) nextTick(done);
  }
}

/** Opens a port of our own. Rejects with the system's error. */
export async function openPort(options: BindOptions, runtime: Runtime, holder: PortHolder): Promise<Port> {
  if (!runtime.bindDatagram) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here" });
  const port = new Port(await runtime.bindDatagram({ ...options, bufferSize: BUFFER_SIZE }), runtime);
  port.hold(holder);
  return port;
}

/** The ports on sockets of others: whoever uses the same socket shares the port, or they would reset each other's peers. */
const borrowed = new WeakMap<DgramSocket, Promise<Port>>();

/**
 * The port of a `dgram` socket, which is bound to `number` unless it is bound. Rejects with dgram's error, such as
 * ERR_SOCKET_DGRAM_NOT_RUNNING for a closed socket, ERR_SOCKET_ALREADY_BOUND for one on another port.
 */
export async function borrowPort(
  socket: DgramSocket,
  number: number,
  runtime: Runtime,
  holder: PortHolder,
): Promise<Port> {
  const known = borrowed.get(socket);
  const opening = known ?? borrow(socket, number, runtime);
  if (!known) borrowed.set(socket, opening);
  const port = await opening;
  if (port.closing) return borrowPort(socket, number, runtime, holder);
  if (number !== 0 && port.local.port !== number) {
    throw nodeError("ERR_SOCKET_ALREADY_BOUND", `Socket is already bound to port ${port.local.port}`);
  }
  port.hold(holder);
  return port;
}

async function borrow(socket: DgramSocket, number: number, runtime: Runtime): Promise<Port> {
  const forget = (): void => void borrowed.delete(socket);
  try {
    return new Port(await borrowDatagram(socket, number), runtime, forget);
  } catch (error) {
    forget();
    throw error;
  }
}
