import type { Phase } from "../contract/transport.ts";

/** One row per code: whether trying again may help, and the sentence the message starts with. */
export const CODES = {
  ERR_1TP_BAD_ADDRESS: { retry: false, text: "an address is malformed" },
  ERR_1TP_NO_TRANSPORT: { retry: false, text: "no transport accepts any of the addresses" },
  ERR_1TP_UNSUPPORTED: { retry: false, text: "this runtime cannot do that" },
  ERR_1TP_HANDSHAKE_FAILED: { retry: true, text: "the session handshake failed" },
  ERR_1TP_PEER_MISMATCH: { retry: false, text: "the peer does not hold the expected key" },
  ERR_1TP_PEER_UNKNOWN: {
    retry: false,
    text: "the entry has no publicKey: take it from server.address(), or set allowUnknownPeer",
  },
  ERR_1TP_PEER_REFUSED: { retry: false, text: "authorization was refused" },
  ERR_1TP_BAD_IDENTITY: { retry: false, text: "this is no identity that exportSecret() gave" },
  ERR_1TP_PEER_OFFLINE: { retry: true, text: "nobody is registered under this uid for this transport" },
  ERR_1TP_SIGNALING_LIMIT: { retry: true, text: "a limit of the signaling is exceeded" },
  ERR_1TP_SIGNALING_REFUSED: { retry: false, text: "the registrar refused" },
  ERR_1TP_BAD_FRAME: { retry: true, text: "the peer broke the session's rules" },
  ERR_1TP_STUN_TIMEOUT: { retry: true, text: "the STUN server did not answer" },
  ERR_1TP_STUN_REFUSED: { retry: false, text: "the STUN server did not do what it was asked for" },
  ERR_1TP_WEBRTC_MISSING: {
    retry: false,
    text: "no WebRTC here: npm install wrtc@npm:@roamhq/wrtc, or give an implementation as the option wrtc",
  },
  ERR_1TP_WEBRTC_FAILED: { retry: true, text: "connecting by WebRTC failed" },
  ERR_1TP_WEBSOCKET_REFUSED: { retry: false, text: "what answered does not open a WebSocket here" },
  ERR_1TP_PROXY_FAILED: { retry: true, text: "the proxy did not connect" },
  ERR_1TP_TURN_REFUSED: { retry: true, text: "the TURN server does not relay" },
  ERR_1TP_PUNCH_FAILED: { retry: true, text: "no way through the NATs was found" },
  ERR_1TP_ALL_ATTEMPTS_FAILED: { retry: true, text: "every attempt failed" },
} as const satisfies Record<string, { readonly retry: boolean; readonly text: string }>;

/** A code only 1tp can give. */
export type ErrorCode = keyof typeof CODES;

/** What an OnetpError carries besides its code. */
export interface ErrorDetails {
  /** Follows the code's sentence in the message. */
  readonly detail?: string;
  /** In place of the code's sentence. */
  readonly message?: string;
  readonly phase?: Phase | undefined;
  readonly transport?: string | undefined;
  /** STUN or TURN ERROR-CODE (RFC 8489 §14.8), HTTP status, SOCKS reply (RFC 1928 §6) or WebSocket close code. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/** The one error class of 1tp. Branch on `code`, then on `phase`. */
export class OnetpError extends Error {
  override readonly name = "OnetpError";
  /** One of the table in the README. */
  readonly code: ErrorCode;
  /** The step of a dial that failed, where it was one. */
  readonly phase: Phase | undefined;
  /** The word of the transport that failed, where it was one. */
  readonly transport: string | undefined;
  /** What a server said, as a number: STUN or TURN error code, HTTP status, SOCKS reply or WebSocket close code. */
  readonly status: number | undefined;

  /** `code`'s sentence, with what `details` add to it. */
  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const { detail, cause, message: text = CODES[code].text } = details;
    super(detail ? `${text}: ${detail}` : text, cause === undefined ? undefined : { cause });
    this.code = code;
    this.phase = details.phase;
    this.transport = details.transport;
    this.status = details.status;
  }
}

/** An error with the code and the message shape that Node's own errors have. */
export interface CodedError extends Error {
  code: string;
}

/** What `net` would report: `connect ECONNREFUSED 127.0.0.1:80` with code, syscall, address and port. */
export interface SystemError extends CodedError {
  syscall: string;
  address?: string;
  port?: number;
}

/**
 * Makes an error as the operating system's would look in Node, for transports that are not the kernel's.
 * As in Node, port 0 says no more than none.
 */
export function systemError(code: string, syscall: string, address?: string, port = 0): SystemError {
  const where = address === undefined ? "" : ` ${port === 0 ? address : `${address}:${port}`}`;
  return Object.assign(new Error(`${syscall} ${code}${where}`), {
    code,
    syscall,
    ...(address === undefined ? {} : { address }),
    ...(port === 0 ? {} : { port }),
  });
}

/** Makes an error with one of Node's own codes, such as ERR_SERVER_NOT_RUNNING. */
export function nodeError(code: string, message: string, Kind: ErrorConstructor = Error): CodedError {
  return Object.assign(new Kind(message), { code });
}

/** The AbortError Node's APIs reject with: `ABORT_ERR`, the signal's reason as its cause. */
export function abortError(cause?: unknown): CodedError {
  const error = new Error("The operation was aborted", cause === undefined ? undefined : { cause });
  error.name = "AbortError";
  return Object.assign(error, { code: "ABORT_ERR" });
}

/** The code of any thrown value, or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Any thrown value as an Error: itself, or one with its code that has it as the cause. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const code = codeOf(thrown);
  const error = new Error(typeof thrown === "string" ? thrown : "something that is no Error was thrown", {
    cause: thrown,
  });
  return code === undefined ? error : Object.assign(error, { code });
}

/** Throws if our own code broke its promise. Never for input. */
export function invariant(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new Error(`1tp broke its own rule: ${promise}`);
}
