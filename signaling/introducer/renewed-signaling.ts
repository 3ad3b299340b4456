import { runtime } from "#platform";
import { backOff } from "../../src/base/back-off.ts";
import { codeOf, nodeError, OnetpError, toError } from "../../src/base/errors.ts";
import { checkSalt, SALT_LENGTH } from "../../src/base/uid.ts";
import type { Timer } from "../../src/contract/clock.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
  SignalingServices,
} from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import { type IntroducingSocket, introducerIn, SocketSignaling } from "./socket-signaling.ts";

/** A socket that nobody else ends: the signaling does, and connects another one. */
export interface OwnSocket extends IntroducingSocket {
  readonly readableFlowing: boolean | null;
  resume(): unknown;
  destroy(): unknown;
  ref(): unknown;
  unref(): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A connection to the introducer. */
interface Stay {
  readonly socket: OwnSocket;
  readonly signaling: SocketSignaling;
}

/** A uid that is to be registered whenever there is a connection. */
interface Kept {
  readonly options: RegisterOptions;
  referenced: boolean;
  /** As it was registered first. */
  address: SignalingAddress | undefined;
  registration: Registration | undefined;
}

/** Dialogs through an introducer to which another connection is made whenever one is lost and something is registered, or used. */
export class RenewedSignaling implements Signaling {
  readonly #connect: () => OwnSocket;
  readonly #kept = new Set<Kept>();
  #stay: Stay | undefined;
  #introducer: string | undefined;
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(connect: () => OwnSocket) {
    this.#connect = connect;
  }

  /** Before the first connection it is not known yet who the introducer is. */
  accepts(address: JsonObject): boolean {
    const introducer = introducerIn(address);
    return introducer !== undefined && introducer === (this.#introducer ?? introducer);
  }

  async register(options: RegisterOptions): Promise<Registration> {
    checkSalt(options.salt);
    const { salt = runtime.random.fill(new Uint8Array(SALT_LENGTH)) } = options;
    const kept: Kept = {
      options: { ...options, salt },
      referenced: true,
      address: undefined,
      registration: undefined,
    };
    await this.#enrol(kept, this.#use());
    this.#kept.add(kept);
    const setRef = (referenced: boolean): void => {
      kept.referenced = referenced;
      this.#updateRef();
    };
    this.#updateRef();
    return {
      address: kept.address!,
      close: () => {
        this.#kept.delete(kept);
        kept.registration?.close();
        this.#updateRef();
      },
      ref: () => setRef(true),
      unref: () => setRef(false),
    };
  }

  open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    return this.#with(({ signaling }) => signaling.open(address, transportType, signal));
  }

  services(signal?: AbortSignal): Promise<SignalingServices> {
    return this.#with(({ signaling }) => signaling.services(signal));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#kept.clear();
    this.#timer?.cancel();
    const stay = this.#stay;
    if (!stay) return;
    await stay.signaling.close();
    await new Promise<void>((resolve) => {
      stay.socket.once("close", resolve);
      stay.socket.destroy();
    });
  }

  async #with<Result>(work: (stay: Stay) => Promise<Result>): Promise<Result> {
    const result = work(this.#use());
    this.#updateRef();
    return result;
  }

  /** The connection that there is, or another one, at which everything is registered again. */
  #use(): Stay {
    if (this.#closed) throw nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
    if (this.#stay) return this.#stay;
    this.#timer?.cancel();
    const socket = this.#connect();
    const onGone = (): void => this.#gone(stay);
    const signaling = new SocketSignaling(socket, { onGone, onChange: () => this.#updateRef() });
    const stay: Stay = { socket, signaling };
    this.#stay = stay;
    // What is wrong is told to whoever waits.
    socket.on("error", () => {});
    socket.once("connect", () => this.#connected(socket));
    socket.once("close", onGone);
    if (!socket.connecting) this.#connected(socket);
    for (const kept of this.#kept) void this.#renew(kept, stay);
    return stay;
  }

  #connected(socket: OwnSocket): void {
    this.#introducer = socket.remotePublicKey ?? this.#introducer;
    // Whoever wants the bytes of the connection has said so by now; an end that nobody reads would not be seen.
    if (socket.readableFlowing === null) socket.resume();
  }

  async #enrol(kept: Kept, stay: Stay): Promise<void> {
    const onClose = (error: Error): void => {
      if (stay === this.#stay) this.#lose(kept, error);
    };
    const registration = await stay.signaling.register({ ...kept.options, onClose });
    kept.address ??= registration.address;
    kept.registration = registration;
  }

  /** What time may heal is tried again with the next connection. */
  async #renew(kept: Kept, stay: Stay): Promise<void> {
    try {
      await this.#enrol(kept, stay);
      this.#failures = 0;
      if (!this.#kept.has(kept)) kept.registration?.close();
      else if (kept.registration?.address.introducer !== kept.address?.introducer)
        this.#lose(kept, another());
    } catch (error) {
      if (stay !== this.#stay) return;
      if (codeOf(error) === "ERR_1TP_SIGNALING_REFUSED") this.#lose(kept, toError(error));
      else this.#gone(stay);
    }
    this.#updateRef();
  }

  #lose(kept: Kept, error: Error): void {
    if (!this.#kept.delete(kept)) return;
    kept.registration?.close();
    kept.options.onClose?.(error);
    this.#updateRef();
  }

  /** The connection is lost, or of no use. */
  #gone(stay: Stay): void {
    if (this.#stay !== stay) return;
    this.#stay = undefined;
    stay.socket.destroy();
    if (this.#closed || this.#kept.size === 0) return;
    const { clock, random } = runtime;
    this.#timer = clock.setTimer(clock.now() + backOff(this.#failures, random), () => this.#return());
    this.#failures++;
    this.#updateRef();
  }

  #return(): void {
    try {
      if (this.#kept.size > 0) this.#use();
    } catch (error) {
      // The user's function does not give a socket any more.
      for (const kept of [...this.#kept]) this.#lose(kept, toError(error));
    }
  }

  /** Registrations, and what goes on over the connection, keep the process alive. */
  #updateRef(): void {
    const referenced = [...this.#kept].some((kept) => kept.referenced);
    if (referenced) this.#timer?.ref();
    else this.#timer?.unref();
    if (!this.#stay) return;
    if (referenced || this.#stay.signaling.busy) this.#stay.socket.ref();
    else this.#stay.socket.unref();
  }
}

function another(): Error {
  return new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "what answers now is another introducer" });
}
