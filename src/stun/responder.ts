import { ipFamily, ipScope } from "../base/ip.ts";
import { SourceLimit, type SourceLimitOptions } from "../base/source-limit.ts";
import type { Instant } from "../contract/clock.ts";
import type { Crypto } from "../contract/crypto.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import { OTHER_ADDRESS, RESPONSE_ORIGIN, XOR_MAPPED_ADDRESS } from "./addresses.ts";
import { type AttributeDraft, makeMessage } from "./attribute.ts";
import { CHANGE_REQUEST, type Change, PADDING, RESPONSE_PORT } from "./behaviour.ts";
import { BINDING } from "./binding.ts";
import { BAD_REQUEST, ERROR_CODE, UNKNOWN_ATTRIBUTE, UNKNOWN_ATTRIBUTES } from "./errors.ts";
import { FINGERPRINT_TYPE } from "./fingerprint.ts";
import { checkIntegrity, type IntegrityKey, sealMessage } from "./integrity.ts";
import { KNOWN_ATTRIBUTES } from "./known-attributes.ts";
import {
  decodeMessage,
  findValue,
  type MessageDefect,
  type ReceivedMessage,
  unknownRequired,
} from "./message.ts";
import { shortTermKey } from "./secrets.ts";
import { USERNAME } from "./texts.ts";

/**
 * What one responder answers (chosen): a host behind a NAT discovers its behaviour with some ten requests, and
 * ten thousand responses a second are 0.4 MB.
 */
const LIMITS: SourceLimitOptions = { perSource: 50, total: 10_000, sources: 4096 };

/** How a responder differs from a public one with a single address. */
export interface ResponderOptions {
  /**
   * Who may ask, by name: requests without integrity by that password are dropped, and responses carry it.
   * Absent: everybody may, as at a public server.
   */
  readonly authenticate?: {
    readonly crypto: Crypto;
    passwordOf(username: string): string | undefined;
  };
  /** Every address the server can send from, `local` among them: with a second one it speaks RFC 5780. */
  readonly origins?: readonly SocketAddress[];
  readonly limits?: SourceLimitOptions;
}

/** A response on its way: from which own address, and where to. */
export interface Answer {
  readonly data: Uint8Array;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** What is answered, for whoever learns from requests. It is authentic if the responder authenticates. */
  readonly request: ReceivedMessage;
  readonly success: boolean;
}

/** Why a request was not answered. */
export type ResponderDrop = MessageDefect | "no-request" | "method" | "limit" | "stranger" | "forged";

/**
 * Answers Binding requests (RFC 8489 §6.3.1) within limits. Without state but for those: whatever comes costs
 * nothing afterwards.
 */
export class BindingResponder {
  /** Datagrams that were not answered, by reason. */
  readonly drops = new Map<ResponderDrop, number>();
  answers = 0;
  readonly #options: ResponderOptions;
  readonly #limit: SourceLimit;

  constructor(options: ResponderOptions = {}) {
    this.#options = options;
    this.#limit = new SourceLimit(options.limits ?? LIMITS);
  }

  /** The response to what came to `local`; undefined if it is dropped. Never throws. */
  respond({ data, remote }: Datagram, local: SocketAddress, now: Instant): Answer | undefined {
    const request = decodeMessage(data);
    if (typeof request === "string") return this.#drop(request);
    if (request.class !== "request") return this.#drop("no-request");
    if (request.method !== BINDING) return this.#drop("method");
    if (!this.#limit.take(remote.address, now)) return this.#drop("limit");
    const integrity = this.#integrityOf(request);
    if (typeof integrity === "string") return this.#drop(integrity);
    const origin = originFor(CHANGE_REQUEST.in(request), local, this.#options.origins ?? []);
    const fault = faultOf(request, origin !== undefined);
    const success = fault.length === 0;
    const drafts = success ? this.#success(request, remote, origin ?? local, local) : fault;
    const response = makeMessage(success ? "success" : "error", BINDING, request.transactionId, drafts);
    const fingerprint = findValue(request, FINGERPRINT_TYPE) !== undefined;
    this.answers++;
    return {
      data: sealMessage(response, integrity, fingerprint),
      remote: { address: remote.address, port: (success && RESPONSE_PORT.in(request)) || remote.port },
      local: origin ?? local,
      request,
      success,
    };
  }

  #success(
    request: ReceivedMessage,
    remote: SocketAddress,
    origin: SocketAddress,
    local: SocketAddress,
  ): AttributeDraft[] {
    const { origins = [] } = this.#options;
    const drafts = [XOR_MAPPED_ADDRESS.of(remote)];
    if (origins.length > 1) drafts.push(RESPONSE_ORIGIN.of(origin));
    const other = originFor({ ip: true, port: true }, local, origins);
    if (other) drafts.push(OTHER_ADDRESS.of(other));
    const padding = PADDING.in(request);
    if (padding) drafts.push(PADDING.of(new Uint8Array(padding.length)));
    return drafts;
  }

  /** What seals the response, or why there is none. */
  #integrityOf(request: ReceivedMessage): IntegrityKey | undefined | ResponderDrop {
    const { authenticate } = this.#options;
    if (!authenticate) return undefined;
    const username = USERNAME.in(request);
    const password = username === undefined ? undefined : authenticate.passwordOf(username);
    if (password === undefined) return "stranger";
    const { crypto } = authenticate;
    const key = shortTermKey(password);
    for (const algorithm of ["sha256", "sha1"] as const) {
      const integrity = { crypto, algorithm, key };
      const authentic = checkIntegrity(request.bytes, integrity);
      if (authentic !== undefined) return authentic ? integrity : "forged";
    }
    return "stranger";
  }

  #drop(reason: ResponderDrop): undefined {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }
}

/** What an error response says; nothing if the request is as it should be. */
function faultOf(request: ReceivedMessage, canChange: boolean): AttributeDraft[] {
  const unknown = unknownRequired(request, KNOWN_ATTRIBUTES);
  if (!canChange) unknown.push(CHANGE_REQUEST.type);
  if (unknown.length > 0) {
    const code = { code: UNKNOWN_ATTRIBUTE, reason: "" };
    return [ERROR_CODE.of(code), UNKNOWN_ATTRIBUTES.of(unknown)];
  }
  const broken = [CHANGE_REQUEST, RESPONSE_PORT].some((kind) => kind.isIn(request) && !kind.in(request));
  return broken ? [ERROR_CODE.of({ code: BAD_REQUEST, reason: "" })] : [];
}

/**
 * The own address that differs from `local` as asked for, of the same family and reach, so that who reached the one
 * can hear the other; undefined if there is none.
 */
function originFor(
  change: Change | undefined,
  local: SocketAddress,
  origins: readonly SocketAddress[],
): SocketAddress | undefined {
  if (!change || !(change.ip || change.port)) return local;
  const [family, scope] = [ipFamily(local.address), ipScope(local.address)];
  return origins.find(
    ({ address, port }) =>
      (address !== local.address) === change.ip &&
      (port !== local.port) === change.port &&
      ipFamily(address) === family &&
      ipScope(address) === scope,
  );
}
