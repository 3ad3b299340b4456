import type { Socket } from "node:dgram";
import { Buffer } from "#platform";
import { systemError } from "../../src/base/errors.ts";
import { ipFamily } from "../../src/base/ip.ts";
import type {
  BindOptions,
  DatagramSink,
  DatagramSocket,
  SendResult,
  SocketAddress,
} from "../../src/contract/datagram-socket.ts";
import { globals } from "./chrome.ts";

/** Payload of the largest IPv4 datagram. */
const MAX_PAYLOAD = 65_507;

/** Errors of Chrome's network stack, in their messages, as the system's. */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/ADDRESS_IN_USE/, "EADDRINUSE"],
  [/ADDRESS_INVALID/, "EADDRNOTAVAIL"],
  [/ACCESS_DENIED/, "EACCES"],
];

type Dgram = Pick<typeof import("node:dgram"), "createSocket">;

/** `chrome-dgram` looks for the API when it is loaded, and for a Chrome app's id, which Cordova has not. */
async function load(): Promise<Dgram> {
  const { chrome } = globals;
  if (!chrome?.sockets?.udp) throw systemError("ENOSYS", "bind");
  if (typeof chrome.runtime?.id !== "string") {
    globals.chrome = Object.assign(chrome, {
      runtime: Object.assign(chrome.runtime ?? {}, { id: "cordova" }),
    });
  }
  return (await import("chrome-dgram")) as unknown as Dgram;
}

/** Binds one UDP socket of `chrome.sockets.udp`; IPv4 alone. Rejects with an errno code. */
export async function bindDatagram({ address, port = 0, connect }: BindOptions): Promise<DatagramSocket> {
  if (ipFamily(address) !== 4) throw systemError("EAFNOSUPPORT", "bind", address, port);
  const { createSocket } = await load();
  const socket = createSocket({ type: "udp4" });
  await new Promise<void>((resolve, reject) => {
    socket.once("listening", resolve).once("error", (error: Error) => {
      socket.close();
      const [, code] = CODES.find(([pattern]) => pattern.test(error.message)) ?? [];
      reject(systemError(code ?? "EIO", "bind", address, port));
    });
    socket.bind(port, address);
  });
  return new ChromeDatagramSocket(socket, connect);
}

class ChromeDatagramSocket implements DatagramSocket {
  readonly local: SocketAddress;
  readonly maxPayload = MAX_PAYLOAD;
  readonly receiveBufferSize = undefined;
  readonly #socket: Socket;
  #sink: DatagramSink | undefined;
  #closed = false;

  constructor(socket: Socket, peer: SocketAddress | undefined) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { address, port };
    socket.removeAllListeners("error");
    socket.on("message", (data, { address: from, port: fromPort }) => {
      if (peer && (peer.address !== from || peer.port !== fromPort)) return;
      this.#sink?.onDatagram(data, { address: from, port: fromPort });
    });
    socket.on("error", () => this.#sink?.onSendError?.("EIO", peer));
    socket.on("close", () => {
      this.#sink?.onClose?.();
      this.#sink = undefined;
    });
  }

  /** Copies, since the API reads later. It has no TTL for datagrams. */
  send(data: Uint8Array, { address, port }: SocketAddress): SendResult {
    if (this.#closed) return "EBADF";
    this.#socket.send(Buffer.from(data), 0, data.length, port, address);
    return "sent";
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => this.#socket.close());
  }

  /** An app lives as long as its window. */
  ref(): void {}

  unref(): void {}
}
