import { crypto, nextTurn, openWebSocket, runtime } from "#platform";
import { checkOptional, typeError, valueError } from "../../src/base/argument.ts";
import { nodeError, OnetpError } from "../../src/base/errors.ts";
import { checkSalt, deriveUid, isUid, SALT_LENGTH } from "../../src/base/uid.ts";
import type { KeyPair } from "../../src/contract/crypto.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
} from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import { originOf } from "../registrar/proof.ts";
import { type Enrolment, RegistrarLink } from "./link.ts";

const TYPE = "websocket-signaling";

/** The longest URL in a stranger's address that is dialled (chosen: browsers stop at 2,048). */
const MAX_URL = 2_048;

/** Other registrars that addresses may name at once (chosen: peers use a few). */
const MAX_FOREIGN = 16;

const environment = { clock: runtime.clock, random: runtime.random, crypto, open: openWebSocket };

/** Options of the websocket signaling. */
export interface WebSocketSignalingOptions {
  /** The registrar to register with; http and https mean ws and wss. */
  readonly url: string;
  /** What the registrar asks for, if it does. Never told to another registrar. */
  readonly token?: string;
}

/**
 * Dialogs over a registrar (`1tp registrar`). One connection for all that share it, renewed for ever while
 * something is registered. Addresses that name another registrar are opened there.
 */
export class WebSocketSignaling implements Signaling {
  readonly #url: string;
  readonly #origin: string;
  readonly #own: RegistrarLink;
  /** By origin. */
  readonly #foreign = new Map<string, RegistrarLink>();
  #keyPair: KeyPair | undefined;
  #closed = false;

  /** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
  constructor(options: WebSocketSignalingOptions) {
    if (typeof options?.url !== "string") throw typeError("options.url", "of type string", options?.url);
    const { url, token } = options;
    checkOptional("options.token", token, "string");
    const origin = originOf(url);
    if (origin === undefined) {
      throw valueError("options.url", "must be a URL that begins with ws, wss, http or https", url);
    }
    this.#url = url;
    this.#origin = origin;
    this.#own = new RegistrarLink(url, token, environment);
  }

  accepts(address: JsonObject): boolean {
    if (address?.type !== TYPE || !isUid(address.uid)) return false;
    const { url = this.#url } = address;
    return typeof url === "string" && url.length <= MAX_URL && originOf(url) !== undefined;
  }

  async register(options: RegisterOptions): Promise<Registration> {
    checkSalt(options.salt);
    this.#checkOpen();
    const { random } = runtime;
    const {
      transportType,
      keyPair = this.#ownKey(),
      salt = random.fill(new Uint8Array(SALT_LENGTH)),
    } = options;
    const uid = deriveUid(crypto, keyPair.publicKey, salt);
    const enrolment: Enrolment = {
      uid,
      keyPair,
      salt,
      transportType,
      referenced: true,
      onDialog: (dialog) => nextTurn(() => options.onDialog(dialog)),
      onLost: (error) => nextTurn(() => options.onClose?.(error)),
    };
    await this.#own.enrol(enrolment);
    const setRef = (referenced: boolean): void => {
      enrolment.referenced = referenced;
      this.#own.updateRef();
    };
    return {
      address: { type: TYPE, uid, url: this.#url },
      close: () => this.#own.withdraw(enrolment),
      ref: () => setRef(true),
      unref: () => setRef(false),
    };
  }

  async open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    signal?.throwIfAborted();
    this.#checkOpen();
    if (!this.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
    const { url = this.#url } = address;
    return this.#linkTo(url as string).open(address.uid, transportType, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#own, ...this.#foreign.values()].map((link) => link.close()));
  }

  #linkTo(url: string): RegistrarLink {
    const origin = originOf(url)!;
    if (origin === this.#origin) return this.#own;
    for (const [other, link] of this.#foreign) if (link.unused) this.#foreign.delete(other);
    const known = this.#foreign.get(origin);
    if (known) return known;
    if (this.#foreign.size >= MAX_FOREIGN) {
      throw new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail: `at most ${MAX_FOREIGN} other registrars` });
    }
    const link = new RegistrarLink(url, undefined, environment);
    this.#foreign.set(origin, link);
    return link;
  }

  #ownKey(): KeyPair {
    this.#keyPair ??= crypto.keyPair(runtime.random.fill(new Uint8Array(32)));
    return this.#keyPair;
  }

  #checkOpen(): void {
    if (this.#closed) throw nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
  }
}
