import { crypto, nextTurn, runtime } from "#platform";
import { checkOptional, typeError } from "../../src/base/argument.ts";
import { nodeError, OnetpError } from "../../src/base/errors.ts";
import { checkSalt, deriveUid, isUid, SALT_LENGTH } from "../../src/base/uid.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
} from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import { LocalDialog } from "./dialog.ts";
import { type LocalEntry, LocalHub, processHub } from "./hub.ts";

const TYPE = "local-signaling";

/** Options of the local signaling. */
export interface LocalSignalingOptions {
  /** Who can reach whom; default everybody in the process. */
  readonly hub?: LocalHub;
}

/** Dialogs inside one process: the smallest signaling there is, and the reference for all others. */
export class LocalSignaling implements Signaling {
  readonly #hub: LocalHub;
  readonly #registrations = new Set<Registration>();
  readonly #dialogs = new Set<LocalDialog>();
  #closed = false;

  /** Throws on wrong options. */
  constructor(options: LocalSignalingOptions = {}) {
    checkOptional("options", options, "object");
    const { hub = processHub } = options;
    if (!(hub instanceof LocalHub)) throw typeError("options.hub", "a LocalHub", hub);
    this.#hub = hub;
  }

  accepts(address: JsonObject): boolean {
    return address?.type === TYPE && isUid(address.uid);
  }

  async register(options: RegisterOptions): Promise<Registration> {
    const uid = uidFor(options);
    await new Promise<void>(nextTurn);
    this.#checkOpen();
    const entry: LocalEntry = {
      transportType: options.transportType,
      onDialog: (dialog) => {
        this.#keep(dialog);
        options.onDialog(dialog);
      },
      onReplaced: () => {
        this.#registrations.delete(registration);
        const error = new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "the uid is registered anew" });
        nextTurn(() => options.onClose?.(error));
      },
    };
    const registration: Registration = {
      address: { type: TYPE, uid },
      close: () => {
        this.#hub.release(uid, entry);
        this.#registrations.delete(registration);
      },
      // Nothing here keeps a process alive: without other work nobody could ever send.
      ref() {},
      unref() {},
    };
    this.#hub.register(uid, entry);
    this.#registrations.add(registration);
    return registration;
  }

  async open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    signal?.throwIfAborted();
    if (!this.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
    await new Promise<void>(nextTurn);
    signal?.throwIfAborted();
    this.#checkOpen();
    const entry = this.#hub.find(address.uid, transportType);
    if (!entry) throw new OnetpError("ERR_1TP_PEER_OFFLINE", { detail: address.uid });
    const [near, far] = LocalDialog.pair();
    this.#keep(near);
    nextTurn(() => {
      if (this.#hub.find(address.uid, transportType) === entry) entry.onDialog(far);
      else far.close();
    });
    return near;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const registration of this.#registrations) registration.close();
    for (const dialog of this.#dialogs) dialog.close();
  }

  /** So that `close` ends it, if nobody has before. */
  #keep(dialog: LocalDialog): void {
    if (this.#closed) dialog.close();
    else dialog.whenEnded(() => this.#dialogs.delete(dialog));
    if (!dialog.ended) this.#dialogs.add(dialog);
  }

  #checkOpen(): void {
    if (this.#closed) throw nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
  }
}

function uidFor({ keyPair, salt }: RegisterOptions): string {
  checkSalt(salt);
  const { random } = runtime;
  const publicKey = keyPair?.publicKey ?? random.fill(new Uint8Array(32));
  return deriveUid(crypto, publicKey, salt ?? random.fill(new Uint8Array(SALT_LENGTH)));
}
