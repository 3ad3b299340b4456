import { type Drive, drive } from "../base/drive.ts";
import { codeOf, OnetpError, systemError } from "../base/errors.ts";
import { canonicalIp } from "../base/ip.ts";
import type { DatagramSink, DatagramSocket, SendResult, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { LongTermCredentials } from "../stun/long-term.ts";
import { Allocation } from "../turn/allocation.ts";
import { CHANNEL_HEADER, dataOf } from "../turn/channel-data.ts";
import type { TurnFailure } from "../turn/failure.ts";
import type { TurnEvent } from "../turn/options.ts";

/** UDP payload that IPv6 carries over Ethernet: the ways to and from a relay may be of either family. */
const IPV6_PAYLOAD = 1452;
/** What fits through a relay, on both of its sides (DESIGN.md §7). */
export const RELAYED_PAYLOAD = IPV6_PAYLOAD - CHANNEL_HEADER;
/** Errors that pass: the next sending may succeed. */
const PASSING = new Set(["ENOBUFS", "ENOMEM", "EAGAIN", "EWOULDBLOCK", "EINTR"]);

/** What an allocation is asked for with. */
export interface TurnSocketOptions {
  /** Carries frames to the server and back; the allocation's own from then on. */
  readonly link: DatagramSocket;
  readonly server: SocketAddress;
  /** The link loses nothing. */
  readonly reliable: boolean;
  readonly credentials: LongTermCredentials;
  readonly family?: 4 | 6 | undefined;
  /** As of the allocation. */
  readonly peers?: "udp" | "tcp" | undefined;
}

/** What happens on an allocation. */
export interface TurnSink extends DatagramSink {
  /** On a TCP allocation, instead of datagrams: a peer has connected (RFC 6062 §4.4). */
  onAttempt?(connection: number, remote: SocketAddress): void;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * An allocation on a TURN server as a DatagramSocket whose `local` is the relayed address. Only peers that `permit` was called
 * for are sent to and heard (`EACCES`), and only as long as some datagram passes every few minutes. `close` gives the
 * allocation back.
 */
export class TurnSocket implements DatagramSocket {
  readonly maxPayload = RELAYED_PAYLOAD;
  readonly receiveBufferSize: number | undefined;
  readonly server: SocketAddress;
  readonly credentials: LongTermCredentials;
  /** Resolves when the allocation is given back or lost. */
  readonly closed: Promise<void>;
  readonly #link: DatagramSocket;
  readonly #runtime: Runtime;
  readonly #allocation: Allocation;
  readonly #drive: Drive;
  readonly #waiting = new Map<string, Waiting[]>();
  #opened: ((failure: TurnFailure | undefined) => void) | undefined;
  #onGone: () => void = () => {};
  #sink: TurnSink | undefined;
  #local: SocketAddress;
  #ended = false;
  #lost = false;
  /** The link holds a frame back: nothing more until it has drained. */
  #blocked = false;

  /** Resolves with why there is no allocation, if there is none; the link is closed then. Rejects with the signal's reason. */
  static open(
    options: TurnSocketOptions,
    runtime: Runtime,
    signal: AbortSignal,
  ): Promise<TurnSocket | TurnFailure> {
    const socket = new TurnSocket(options, runtime);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        socket.#opened = undefined;
        socket.close();
        reject(signal.reason);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort);
      socket.#opened = (failure) => {
        signal.removeEventListener("abort", onAbort);
        resolve(failure ?? socket);
      };
      socket.#allocation.allocate();
      socket.#drive.wake();
    });
  }

  private constructor({ link, ...options }: TurnSocketOptions, runtime: Runtime) {
    this.#link = link;
    this.server = options.server;
    this.credentials = options.credentials;
    this.#runtime = runtime;
    this.#local = link.local;
    this.receiveBufferSize = link.receiveBufferSize;
    this.closed = new Promise((resolve) => {
      this.#onGone = resolve;
    });
    const { random, clock } = runtime;
    const onWork = (): void => this.#drive.wake();
    const allocation = new Allocation({ ...options, random, onWork });
    this.#allocation = allocation;
    const gated = {
      handleTimeout: (now: number) => allocation.handleTimeout(now),
      pollTransmit: (now: number) => (this.#blocked ? undefined : allocation.pollTransmit(now)),
      pollEvent: () => allocation.pollEvent(),
      pollTimeout: () => allocation.pollTimeout(),
    };
    this.#drive = drive(
      gated,
      clock,
      ({ data }) => this.#transmit(data),
      (event) => this.#onEvent(event),
    );
    link.attach({
      onDatagram: (data, remote) => this.#receive(data, remote),
      onDrain: () => this.#drained(),
      onSendError: (code) => this.#failed(code),
      onClose: (error) => this.#unlinked(error),
    });
  }

  /** The relayed address. */
  get local(): SocketAddress {
    return this.#local;
  }

  /** Where the server sees us. */
  get reflexive(): SocketAddress | undefined {
    return this.#allocation.reflexive;
  }

  /** The server has no such allocation any more, or cannot be reached. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Counts of what was dropped, by reason. */
  get drops(): ReadonlyMap<string, number> {
    return this.#allocation.drops;
  }

  /** Lets whoever has that IP address reach us. Rejects with ERR_1TP_TURN_REFUSED and the server's status. */
  permit(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const key = canonicalIp(address);
      if (key === undefined || this.#ended) {
        reject(turnError({ reason: "expired" }, this.server));
        return;
      }
      const waiting = this.#waiting.get(key) ?? [];
      this.#waiting.set(key, [...waiting, { resolve, reject }]);
      this.#allocation.permit(key, this.#runtime.clock.now());
      this.#drive.wake();
    });
  }

  send(data: Uint8Array, remote: SocketAddress): SendResult {
    if (this.#ended) return "EBADF";
    if (this.#blocked) return "ENOBUFS";
    if (data.length > this.maxPayload) return "EMSGSIZE";
    const frame = this.#allocation.frame(data, remote, this.#runtime.clock.now());
    if (!frame) return "EACCES";
    const result = this.#link.send(frame, this.server);
    if (result !== "queued") return result;
    this.#allocation.detachBuffer();
    this.#blocked = true;
    return result;
  }

  attach(sink: TurnSink): void {
    this.#sink = sink;
  }

  /** Keeps the process alive until the server has heard of it, or a few seconds have passed. */
  close(): void {
    if (this.#ended) return;
    this.ref();
    this.#ended = true;
    this.#allocation.release(this.#runtime.clock.now());
    this.#drive.wake();
  }

  ref(): void {
    if (this.#ended) return;
    this.#link.ref();
    this.#drive.ref();
  }

  unref(): void {
    if (this.#ended) return;
    this.#link.unref();
    this.#drive.unref();
  }

  #receive(data: Uint8Array, remote: SocketAddress): void {
    const now = this.#runtime.clock.now();
    const peer = this.#allocation.peerOf(data, now);
    const payload = peer && dataOf(data);
    if (payload) {
      this.#sink?.onDatagram(payload, peer);
      return;
    }
    this.#allocation.handleDatagram({ data, remote }, now);
    this.#drive.wake();
  }

  #transmit(data: Uint8Array): void {
    const result = this.#link.send(data, this.server);
    this.#blocked ||= result === "queued";
    if (result !== "sent" && result !== "queued") this.#failed(result);
  }

  #drained(): void {
    this.#blocked = false;
    this.#drive.wake();
    if (!this.#ended) this.#sink?.onDrain?.();
  }

  #failed(code: string): void {
    if (!PASSING.has(code)) {
      this.#allocation.sendFailed(code, this.#runtime.clock.now());
      this.#drive.wake();
    }
    this.#sink?.onSendError?.(code, undefined);
  }

  #unlinked(error: Error | undefined): void {
    this.#allocation.disconnected(codeOf(error) ?? "ECONNRESET");
    this.#drive.wake();
  }

  #onEvent(event: TurnEvent): void {
    switch (event.type) {
      case "allocated":
        this.#local = this.#allocation.relayed ?? this.#local;
        this.#tellOpened(undefined);
        break;
      case "failed":
      case "lost":
      case "released":
        this.#over(event.failure);
        break;
      case "permitted":
      case "denied":
        this.#answer(event.address, event.type === "denied" ? event.failure : undefined);
        break;
      case "data":
        this.#sink?.onDatagram(event.data, event.remote);
        break;
      case "unreachable":
        this.#sink?.onSendError?.(event.code, event.remote);
        break;
      case "attempt":
        this.#sink?.onAttempt?.(event.connection, event.remote);
    }
  }

  #tellOpened(failure: TurnFailure | undefined): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.(failure);
  }

  #answer(address: string, failure: TurnFailure | undefined): void {
    const waiting = this.#waiting.get(address) ?? [];
    this.#waiting.delete(address);
    for (const { resolve, reject } of waiting) {
      if (failure) reject(turnError(failure, this.server));
      else resolve();
    }
  }

  /** The allocation is no more. */
  #over(failure: TurnFailure | undefined): void {
    this.#ended = true;
    this.#lost = failure !== undefined;
    this.#drive.stop();
    for (const address of [...this.#waiting.keys()]) this.#answer(address, failure ?? { reason: "expired" });
    this.#link.attach({ onDatagram() {} });
    this.#link.close();
    if (failure) this.#tellOpened(failure);
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onClose?.(failure && turnError(failure, this.server, "read"));
    this.#onGone();
  }
}

/** What a failure is to a user: a system error where the server cannot be reached, else ERR_1TP_TURN_REFUSED with its status. */
export function turnError(
  { reason, status, words }: TurnFailure,
  server: SocketAddress,
  syscall: "connect" | "read" = "connect",
): Error {
  const { address, port } = server;
  const place = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  switch (reason) {
    case "timeout":
      return systemError("ETIMEDOUT", syscall, address, port);
    case "refused":
      return refused(`${place} said ${`${status} ${words}`.trimEnd()}`, status);
    case "malformed":
    case "unknown-attribute":
      return refused(`${place} said what is not understood here`);
    case "forged":
      return refused(`the responses of ${place} were not authentic`);
    case "expired":
      return refused(`the allocation at ${place} is over`);
    case "busy":
      return refused("too many requests are under way already");
    default:
      return systemError(reason, syscall, address, port);
  }
}

function refused(detail: string, status?: number): OnetpError {
  return new OnetpError("ERR_1TP_TURN_REFUSED", { detail, status });
}
