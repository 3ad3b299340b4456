import { crypto, nextTurn, preferredCipher } from "#platform";
import { checkOptional, typeError, valueError } from "../base/argument.ts";
import { invariant } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { CipherName } from "../contract/crypto.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { Runtime } from "../contract/runtime.ts";
import { createIdentity, Identity, parseKey } from "../session/identity.ts";
import { Initiator, type InitiatorOptions } from "../session/initiator.ts";
import { Session } from "../session/session.ts";

/** Whether connections are sessions, and whose. */
export interface SecurityOptions {
  /**
   * `'noise'` (default): encrypted end to end, the server's key checked. `'none'` sends the application's bytes
   * as they are; to be set on both sides.
   */
  readonly security?: "noise" | "none";
  /** Who we are. Default: one identity made for this process. */
  readonly identity?: Identity;
}

/** What a dial needs for its sessions; absent for `security: 'none'`. */
export interface DialSecurity {
  readonly identity: Identity;
  readonly allowUnknownPeer: boolean;
}

const ownIdentities = new WeakMap<Runtime, Identity>();

/** The identity of a process, or of a simulated host, that names none. */
function ownIdentity(runtime: Runtime): Identity {
  const identity = ownIdentities.get(runtime) ?? createIdentity(crypto, runtime.random);
  ownIdentities.set(runtime, identity);
  return identity;
}

/**
 * Checks what both sides may say about security. Undefined: there is none.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
export function sessionIdentity(options: SecurityOptions, runtime: Runtime): Identity | undefined {
  const { security = "noise", identity } = options;
  if (security !== "noise" && security !== "none") {
    throw valueError("options.security", "must be 'noise' or 'none'", security);
  }
  if (identity !== undefined && !(identity instanceof Identity)) {
    throw typeError("options.identity", "an Identity, such as createIdentity() gives", identity);
  }
  return security === "none" ? undefined : (identity ?? ownIdentity(runtime));
}

/** Checks `authorize` and `allowedPeers` and makes one question of them. */
export function peerCheck(options: PeerOptions): Authorize | undefined {
  const { authorize, allowedPeers, security } = options;
  checkOptional("options.authorize", authorize, "function");
  if (allowedPeers !== undefined) checkKeys(allowedPeers);
  if (security === "none" && (authorize ?? allowedPeers)) {
    const name = authorize ? "options.authorize" : "options.allowedPeers";
    throw valueError(name, "needs security 'noise': without it nobody proves a key", security);
  }
  if (!allowedPeers) return authorize;
  const allowed = new Set(allowedPeers);
  return (publicKey) => allowed.has(publicKey) && (authorize ? authorize(publicKey) : true);
}

/**
 * Answers whether the owner of a public key may connect; only `true` admits. What it throws or rejects with refuses, and is an
 * uncaught exception.
 */
export type Authorize = (publicKey: string) => boolean | Promise<boolean>;

/** Who may connect to a server. */
export interface PeerOptions extends SecurityOptions {
  /** Asked before any byte of the application; default: everybody may. */
  readonly authorize?: Authorize;
  /** The public keys that may connect; together with `authorize` both have to agree. */
  readonly allowedPeers?: readonly string[];
}

function checkKeys(keys: unknown): void {
  if (!Array.isArray(keys)) throw typeError("options.allowedPeers", "an array of public keys", keys);
  const wrong = keys.find((key) => typeof key !== "string" || !parseKey(key));
  if (wrong !== undefined) {
    throw valueError("options.allowedPeers", "must hold public keys as in connectionInfo entries", wrong);
  }
}

/** The session handshake of one attempt. */
export class DialHandshake {
  readonly #runtime: Runtime;
  /** Until the session has it: transports may hold on to their context, and keys are not to be found here later. */
  #initiator: Initiator | undefined;
  #session: Session | undefined;

  /** @throws OnetpError `ERR_1TP_PEER_UNKNOWN` or `ERR_1TP_BAD_ADDRESS` for an entry without a usable key. */
  constructor(runtime: Runtime, security: DialSecurity, endpoint: Endpoint) {
    this.#runtime = runtime;
    this.#initiator = new Initiator({ crypto, random: runtime.random, ...peerOf(endpoint, security) });
  }

  /** The first message, for a transport that can carry it while it connects. */
  firstFlight(): Uint8Array {
    invariant(this.#initiator, "a first flight is asked for before there is a channel");
    return this.#initiator.firstFlight();
  }

  /** Resolves with the session when the server has proved its key; takes the channel down otherwise. */
  secure(channel: Channel): Promise<Channel> {
    invariant(this.#initiator, "a handshake secures one channel");
    const initiator = this.#initiator;
    this.#initiator = undefined;
    return new Promise((resolve, reject) => {
      const session = new Session(channel, initiator, {
        clock: this.#runtime.clock,
        defer: nextTurn,
        onSettled: (error) => (error ? reject(error) : resolve(session)),
      });
      this.#session = session;
    });
  }

  /** Gives up: `secure` does not settle any more, and its channel goes. */
  abort(): void {
    this.#session?.abort();
  }

  /** Only now does the server see a connection. */
  confirm(): void {
    this.#session?.confirm();
  }
}

/** Who dials whom, for the opening side of a handshake. */
export function peerOf(
  endpoint: Endpoint,
  { identity, allowUnknownPeer }: DialSecurity,
): Omit<InitiatorOptions, "crypto" | "random"> {
  return { identity, allowUnknownPeer, remotePublicKey: endpoint.publicKey, cipher: cipherFor(endpoint) };
}

function cipherFor({ suite }: Endpoint): CipherName {
  return suite === "AESGCM" || suite === "ChaChaPoly" ? suite : preferredCipher;
}
