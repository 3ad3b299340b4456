import { type Drive, drive } from "../base/drive.ts";
import { type CodedError, OnetpError, systemError } from "../base/errors.ts";
import type { Clock } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { Engine } from "../contract/engine.ts";
import { BINDING, reflexiveAddress } from "../stun/binding.ts";
import type { StunClient, StunClientEvent, StunFailure } from "../stun/client.ts";
import { ERROR_CODE } from "../stun/errors.ts";
import type { ReceivedMessage } from "../stun/message.ts";
import type { StunRequest } from "../stun/transaction.ts";

/** A response, a success or an error, and where it came from. */
export interface StunResponse {
  readonly message: ReceivedMessage;
  readonly from: SocketAddress;
}

interface Pending {
  readonly to: SocketAddress;
  readonly resolve: (response: StunResponse) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to the signal. */
  readonly forget: () => void;
}

/** Joins a STUN client to a clock and to whoever sends, and its events to promises. */
export class StunRequests {
  readonly client: StunClient;
  readonly #clock: Clock;
  readonly #drive: Drive;
  readonly #pending = new Map<number, Pending>();
  #closed: Error | undefined;

  /** While `blocked` says so nothing is sent; call `resume` when it is over. */
  constructor(
    client: StunClient,
    clock: Clock,
    send: (datagram: Datagram) => void,
    blocked: () => boolean = () => false,
  ) {
    this.client = client;
    this.#clock = clock;
    const gated: Engine<StunClientEvent> = {
      handleTimeout: (now) => client.handleTimeout(now),
      pollTransmit: (now) => (blocked() ? undefined : client.pollTransmit(now)),
      pollEvent: () => client.pollEvent(),
      pollTimeout: () => client.pollTimeout(),
    };
    this.#drive = drive(gated, clock, send, (event) => this.#onEvent(event));
  }

  /**
   * Asks, and resolves with the response even if it is an error. Rejects with ERR_1TP_STUN_TIMEOUT, the signal's
   * reason, a system error, or ERR_1TP_STUN_REFUSED for responses that nobody can use.
   */
  request(request: StunRequest, signal?: AbortSignal): Promise<StunResponse> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const handle = this.client.request(request);
      const onAbort = (): void => {
        this.client.cancel(handle);
        this.#take(handle)?.reject(signal?.reason);
        this.#drive.wake();
      };
      signal?.addEventListener("abort", onAbort);
      const forget = (): void => signal?.removeEventListener("abort", onAbort);
      this.#pending.set(handle, { to: request.to, resolve, reject, forget });
      this.#drive.wake();
    });
  }

  /** Asks where the server sees us. Rejects as `request`, and with ERR_1TP_STUN_REFUSED and its status for an error. */
  async binding(
    to: SocketAddress,
    options: Omit<StunRequest, "to" | "method"> = {},
    signal?: AbortSignal,
  ): Promise<SocketAddress> {
    const { message } = await this.request({ ...options, to, method: BINDING }, signal);
    const address = message.class === "success" ? reflexiveAddress(message) : undefined;
    if (address) return address;
    const error = ERROR_CODE.in(message);
    const said = error ? `${error.code} ${error.reason}`.trimEnd() : "no address";
    throw new OnetpError("ERR_1TP_STUN_REFUSED", {
      detail: `${place(to)} said ${said}`,
      status: error?.code,
    });
  }

  receive(data: Uint8Array, remote: SocketAddress): void {
    this.client.handleDatagram({ data, remote }, this.#clock.now());
    this.#drive.wake();
  }

  /** The network has refused what was sent there. */
  sendFailed(code: string, remote: SocketAddress | undefined): void {
    this.client.sendFailed(code, remote);
    this.#drive.wake();
  }

  /** Sending is possible again. */
  resume(): void {
    this.#drive.wake();
  }

  /** Ends all requests, also later ones, with the error. Idempotent. */
  close(error: Error): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#drive.stop();
    for (const handle of [...this.#pending.keys()]) this.#take(handle)?.reject(error);
  }

  #onEvent(event: StunClientEvent): void {
    const pending = this.#take(event.handle);
    if (event.type === "response") pending?.resolve(event);
    else pending?.reject(failure(event.reason, pending.to));
  }

  #take(handle: number): Pending | undefined {
    const pending = this.#pending.get(handle);
    this.#pending.delete(handle);
    pending?.forget();
    return pending;
  }
}

function failure(reason: StunFailure, to: SocketAddress): OnetpError | CodedError {
  switch (reason) {
    case "timeout":
      return new OnetpError("ERR_1TP_STUN_TIMEOUT", { detail: place(to) });
    case "forged":
      return refused(to, "its responses were not authentic");
    case "unknown-attribute":
      return refused(to, "its response demands what is not understood here");
    case "busy":
      return refused(to, "too many requests are under way already");
    default:
      return systemError(reason, "send", to.address, to.port);
  }
}

function refused(to: SocketAddress, why: string): OnetpError {
  return new OnetpError("ERR_1TP_STUN_REFUSED", { detail: `${place(to)}: ${why}` });
}

function place({ address, port }: SocketAddress): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
