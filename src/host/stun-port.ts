import { systemError } from "../base/errors.ts";
import type {
  Datagram,
  DatagramSink,
  DatagramSocket,
  SendResult,
  SocketAddress,
} from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { StunClient } from "../stun/client.ts";
import { classOf } from "../stun/message.ts";
import { type Answer, BindingResponder } from "../stun/responder.ts";
import { StunRequests } from "./stun-requests.ts";

/** What a port does besides asking. */
export interface StunPortOptions {
  /** Answers Binding requests; absent: they are dropped. */
  readonly responder?: BindingResponder;
  /** Sees what was answered, before the response leaves. */
  readonly onAnswer?: (answer: Answer) => void;
  /** The port with that local address, for answers that are to leave from there; absent: this one. */
  readonly portOf?: (local: SocketAddress) => StunPort | undefined;
}

/** Errors that pass: the next sending may succeed. */
const PASSING = new Set(["ENOBUFS", "ENOMEM", "EAGAIN", "EWOULDBLOCK", "EINTR"]);

/**
 * STUN on a DatagramSocket: asks (`requests`) and answers. Attach it to a socket of its own, or set it as the
 * `stun` of the Demultiplexer of a socket that uTP shares.
 */
export class StunPort implements DatagramSink {
  readonly requests: StunRequests;
  /** Responses the system would not take. */
  unsent = 0;
  readonly #socket: DatagramSocket;
  readonly #runtime: Runtime;
  readonly #options: StunPortOptions;
  /** The system has queued a datagram: nothing more until it has drained. */
  #blocked = false;

  /** Attaches itself to nothing. */
  constructor(socket: DatagramSocket, runtime: Runtime, options: StunPortOptions = {}) {
    this.#socket = socket;
    this.#runtime = runtime;
    this.#options = options;
    const client = new StunClient({ random: runtime.random });
    this.requests = new StunRequests(
      client,
      runtime.clock,
      (datagram) => this.#ask(datagram),
      () => this.#blocked,
    );
  }

  onDatagram(data: Uint8Array, remote: SocketAddress): void {
    if (this.#options.responder && classOf(data) === "request") this.#answer(data, remote);
    else this.requests.receive(data, remote);
  }

  onDrain(): void {
    this.#blocked = false;
    this.requests.resume();
  }

  onSendError(code: string, remote: SocketAddress | undefined): void {
    if (!PASSING.has(code)) this.requests.sendFailed(code, remote);
  }

  onClose(error?: Error): void {
    this.requests.close(error ?? this.#closing());
  }

  /** Ends what is under way. The socket stays open. */
  close(): void {
    this.requests.close(this.#closing());
  }

  #closing(): Error {
    const { address, port } = this.#socket.local;
    return systemError("ECONNABORTED", "close", address, port);
  }

  #ask({ data, remote }: Datagram): void {
    const result = this.#send(data, remote);
    if (result !== "sent" && result !== "queued") this.onSendError(result, remote);
  }

  #answer(data: Uint8Array, remote: SocketAddress): void {
    const { responder, onAnswer, portOf } = this.#options;
    const answer = responder?.respond({ data, remote }, this.#socket.local, this.#runtime.clock.now());
    if (!answer) return;
    onAnswer?.(answer);
    const port = portOf ? portOf(answer.local) : this;
    if (!port) return;
    const result = port.#send(answer.data, answer.remote);
    if (result !== "sent" && result !== "queued") this.unsent++;
  }

  #send(data: Uint8Array, remote: SocketAddress): SendResult {
    if (this.#blocked) return "EAGAIN";
    const result = this.#socket.send(data, remote);
    this.#blocked = result === "queued";
    return result;
  }
}

/**
 * A STUN server on several sockets of one host, RFC 5780 where their addresses allow. Attaches itself to them. A
 * responder that is given has to know them as its `origins`.
 */
export function serveStun(
  sockets: readonly DatagramSocket[],
  runtime: Runtime,
  responder = new BindingResponder({ origins: sockets.map(({ local }) => local) }),
): readonly StunPort[] {
  const ports: StunPort[] = [];
  const portOf = ({ address, port }: SocketAddress): StunPort | undefined =>
    ports[sockets.findIndex(({ local }) => local.address === address && local.port === port)];
  for (const socket of sockets) {
    const port = new StunPort(socket, runtime, { responder, portOf });
    socket.attach(port);
    ports.push(port);
  }
  return ports;
}
