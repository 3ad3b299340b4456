import { typeError } from "../../src/base/argument.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
  SignalingServices,
} from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import { type OwnSocket, RenewedSignaling } from "./renewed-signaling.ts";
import { type IntroducingSocket, SocketSignaling } from "./socket-signaling.ts";

/**
 * Dialogs through a server that both sides are connected to and that was made with `introduce: true`, beside the bytes of the
 * connection. Several transports may share one. Of a socket, which has one at a time: all ends with it, and it stays its owner's. Of a
 * function that connects one: while something is registered a lost connection is replaced, for ever, and the uids stay the same.
 */
export class IntroducerSignaling implements Signaling {
  readonly #signaling: Signaling;

  /** @throws ERR_INVALID_ARG_TYPE */
  constructor(socket: IntroducingSocket | (() => OwnSocket)) {
    if (typeof socket === "function") this.#signaling = new RenewedSignaling(socket);
    else if (typeof socket === "object" && typeof socket?.lane === "function")
      this.#signaling = new SocketSignaling(socket);
    else throw typeError("socket", "a Socket of 1tp or a function that connects one", socket);
  }

  accepts(address: JsonObject): boolean {
    return this.#signaling.accepts(address);
  }

  register(options: RegisterOptions): Promise<Registration> {
    return this.#signaling.register(options);
  }

  open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    return this.#signaling.open(address, transportType, signal);
  }

  services(signal?: AbortSignal): Promise<SignalingServices> {
    return this.#signaling.services!(signal);
  }

  close(): Promise<void> {
    return this.#signaling.close();
  }
}
