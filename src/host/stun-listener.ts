import { Slots } from "../base/slots.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { StreamFrames } from "../stun/framing.ts";
import type { BindingResponder } from "../stun/responder.ts";
import type { Net, NetSocket } from "./stun-stream.ts";

/** Chosen: clients ask once and leave, so that more at once is an attack; the second of one address. */
const MAX_CONNECTIONS = 256;
const MAX_CONNECTIONS_PER_ADDRESS = 32;
/** A little more than clients wait for an answer (RFC 8489 §6.2.2, Ti). */
const IDLE_MS = 40_000;
/** Chosen: several times a Binding request with credentials. */
const MAX_REQUEST = 2048;
/** Chosen: who asks without reading gets so much. */
const MAX_UNREAD = 16_384;

/** Answers Binding requests over TCP. */
export class StunListener {
  /** Where it listens. */
  readonly local: SocketAddress;
  readonly #server: InstanceType<Net["Server"]>;
  readonly #sockets = new Set<NetSocket>();
  readonly #slots = new Slots(MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS);

  private constructor(server: InstanceType<Net["Server"]>, responder: BindingResponder, runtime: Runtime) {
    const { address, port } = server.address() as SocketAddress;
    this.local = { address, port };
    this.#server = server;
    server.on("connection", (socket) => this.#serve(socket, responder, runtime));
    // Errors of single accepts; the server goes on.
    server.on("error", () => {});
  }

  /** Rejects with the system's error. Port 0: any free one. */
  static listen(
    net: Net,
    { address, port }: SocketAddress,
    responder: BindingResponder,
    runtime: Runtime,
  ): Promise<StunListener> {
    const server = net.createServer({ noDelay: true });
    server.maxConnections = MAX_CONNECTIONS;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port, ipv6Only: true }, () => {
        server.off("error", reject);
        resolve(new StunListener(server, responder, runtime));
      });
    });
  }

  /** Ends every connection; resolves when the port is free. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  #serve(socket: NetSocket, responder: BindingResponder, runtime: Runtime): void {
    const { remoteAddress: address, remotePort: port } = socket;
    const leave = this.#slots.take(address);
    if (address === undefined || port === undefined || !leave) {
      leave?.();
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const remote = { address, port };
    const frames = new StreamFrames({ maxSize: MAX_REQUEST });
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      leave();
      this.#sockets.delete(socket);
    });
    socket.on("data", (chunk: Uint8Array) => {
      for (const data of frames.push(chunk)) {
        const answer = responder.respond({ data, remote }, this.local, runtime.clock.now());
        if (answer) socket.write(answer.data);
      }
      if (frames.broken || socket.writableLength > MAX_UNREAD) socket.destroy();
    });
  }
}
