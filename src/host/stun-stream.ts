import type { tcp } from "#platform";
import { systemError, toError } from "../base/errors.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { StunClient } from "../stun/client.ts";
import { StreamFrames } from "../stun/framing.ts";
import type { StunRequest } from "../stun/transaction.ts";
import { StunRequests } from "./stun-requests.ts";

/** The platform's `net`. */
export type Net = NonNullable<typeof tcp>;
/** A socket of the platform's `net`, or a TLS socket. */
export type NetSocket = InstanceType<Net["Socket"]>;

/**
 * Asks over a connected TCP or TLS socket (RFC 8489 §6.2.2), which is its own from then on. What is under way when
 * the socket closes fails with its error.
 */
export class StunStream {
  readonly requests: StunRequests;
  readonly #socket: NetSocket;
  readonly #server: SocketAddress;
  readonly #frames = new StreamFrames();
  readonly #onReadable = (): void => this.#read();
  readonly #onError = (error: Error): void => this.requests.close(error);
  readonly #onClose = (): void => this.#end("ECONNRESET");

  constructor(socket: NetSocket, server: SocketAddress, runtime: Runtime) {
    this.#socket = socket;
    this.#server = server;
    const client = new StunClient({ random: runtime.random, reliable: true });
    this.requests = new StunRequests(client, runtime.clock, ({ data }) => {
      socket.write(data);
    });
    socket.on("readable", this.#onReadable);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  /** No byte more than belongs to a response that is waited for: what follows may be no STUN. */
  #read(): void {
    while (this.requests.client.size > 0) {
      const chunk: Uint8Array | null = this.#socket.read(this.#frames.missing);
      if (!chunk) return;
      for (const frame of this.#frames.push(chunk)) this.requests.receive(frame, this.#server);
      if (this.#frames.broken) {
        this.#end("EPROTO");
        return;
      }
    }
    // Who waits for nothing hears all the same that the server has closed.
    this.#socket.read(0);
  }

  /** Gives the socket away, with all bytes that follow the last response. */
  release(): NetSocket {
    this.#socket.off("readable", this.#onReadable).off("error", this.#onError).off("close", this.#onClose);
    this.requests.close(systemError("ECONNABORTED", "read", this.#server.address, this.#server.port));
    return this.#socket;
  }

  /** Closes the socket; what is under way fails. */
  close(): void {
    this.#end("ECONNABORTED");
  }

  #end(code: string): void {
    this.requests.close(systemError(code, "read", this.#server.address, this.#server.port));
    this.#socket.destroy();
  }
}

/** How to ask over TCP once. */
export interface StreamBindingOptions extends Pick<StunRequest, "credentials"> {
  /** Where to connect from; any free port if absent. */
  readonly local?: { readonly address?: string; readonly port?: number };
  readonly signal?: AbortSignal;
}

/** Where a server sees a TCP connection come from. Rejects as `StunRequests.binding` and with errors of connecting. */
export async function bindingOverTcp(
  net: Net,
  server: SocketAddress,
  runtime: Runtime,
  { credentials, local, signal }: StreamBindingOptions = {},
): Promise<SocketAddress> {
  const socket = await connect(net, server, local, signal);
  const stream = new StunStream(socket, server, runtime);
  try {
    return await stream.requests.binding(server, credentials ? { credentials } : {}, signal);
  } finally {
    stream.close();
  }
}

async function connect(
  net: Net,
  { address, port }: SocketAddress,
  local: StreamBindingOptions["local"],
  signal: AbortSignal | undefined,
): Promise<NetSocket> {
  signal?.throwIfAborted();
  const from = {
    ...(local?.address === undefined ? {} : { localAddress: local.address }),
    ...(local?.port === undefined ? {} : { localPort: local.port }),
  };
  return connected(net.connect({ host: address, port, noDelay: true, ...from }), "connect", signal);
}

/** Waits for the event that says a socket is connected. Rejects with its error or the signal's reason; it is destroyed then. */
export function connected<Connecting extends NetSocket>(
  socket: Connecting,
  event: "connect" | "secureConnect",
  signal: AbortSignal | undefined,
): Promise<Connecting> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      socket.destroy();
      reject(signal?.reason);
    };
    const onError = (error: unknown): void => {
      signal?.removeEventListener("abort", onAbort);
      reject(toError(error));
    };
    signal?.addEventListener("abort", onAbort);
    socket.once("error", onError);
    socket.once(event, () => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}
