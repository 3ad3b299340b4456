/**
 * The registrar's protocol, version 1. Text frames over a WebSocket, each a JSON object on one line; `signal`
 * has a second line, the body, which the registrar passes on unread. Unknown fields and types are ignored,
 * what is no such frame ends the connection.
 *
 * ```
 * client                                   registrar
 *   hello {version, token?}           ->
 *                                     <-   hello {version, address}       the client's address as seen
 *   challenge {request}               ->
 *                                     <-   challenge {request, ephemeral}
 *   register {request, publicKey, salt, nonce, origin, transportType, proof} ->       (proof.ts)
 *                                     <-   registered {request, uid}
 *                                     <-   refused {request, code, text?}
 *                                     <-   replaced {uid}                 registered anew elsewhere
 *   unregister {uid}                  ->
 *   open {dialog, uid, transportType} ->                                  dialog: 1, 2, 3 … by the client
 *                                     <-   opened {dialog}
 *                                     <-   incoming {dialog, uid}         dialog: -1, -2, -3 … by the registrar
 *   signal {dialog} + body            <->
 *   close {dialog, code?, text?}      <->  also the refusal of an open
 *   ping                              ->
 *                                     <-   pong
 *                                     <-   draining                       connect anew, elsewhere or later
 * ```
 */
import { fromBase64Url } from "../../src/base/bytes.ts";
import { isUid } from "../../src/base/uid.ts";

/** The version both sides have to name in `hello`. */
export const PROTOCOL_VERSION = 1;

/** The longest frame that is read at all; longer ones end the connection (chosen: a body too long still gets an answer). */
export const MAX_FRAME = 32_768;

/** The longest first line of a frame (chosen: the longest, `register`, has some 500 characters). */
const MAX_HEAD = 2_048;

/** Why something was refused or ended. */
export const REFUSALS = [
  "offline",
  "too-large",
  "too-fast",
  "too-many",
  "unread",
  "lost",
  "draining",
  "unproved",
  "unavailable",
] as const;

/** One of them. */
export type RefusalCode = (typeof REFUSALS)[number];

/** What went wrong, for programs and for people. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly text?: string | undefined;
}

interface Named<Type extends string> {
  readonly type: Type;
}

interface OfDialog {
  readonly dialog: number;
}

interface OfRequest {
  readonly request: number;
}

interface OfUid {
  readonly uid: string;
}

/** What a client shows to register a uid; byte strings in base64url. */
export interface RegisterMessage extends Named<"register">, OfRequest {
  readonly publicKey: string;
  readonly salt: string;
  readonly nonce: string;
  readonly origin: string;
  readonly transportType: string;
  readonly proof: string;
}

/** Either side ends a dialog. */
export interface CloseMessage extends Named<"close">, OfDialog, Partial<Refusal> {}

/** A body for the other end of a dialog. */
export interface SignalMessage extends Named<"signal">, OfDialog {
  /** JSON text; on the wire the second line. */
  readonly body: string;
}

/** Asks for a dialog with whoever is registered under a uid for a transport. */
export interface OpenMessage extends Named<"open">, OfDialog, OfUid {
  readonly transportType: string;
}

/** Everything a client may say. */
export type ClientMessage =
  | (Named<"hello"> & { readonly version: number; readonly token?: string })
  | (Named<"challenge"> & OfRequest)
  | RegisterMessage
  | (Named<"unregister"> & OfUid)
  | OpenMessage
  | SignalMessage
  | CloseMessage
  | Named<"ping">;

/** Everything a registrar may say. */
export type RegistrarMessage =
  | (Named<"hello"> & { readonly version: number; readonly address: string })
  | (Named<"challenge"> & OfRequest & { readonly ephemeral: string })
  | (Named<"registered"> & OfRequest & OfUid)
  | (Named<"refused"> & OfRequest & Refusal)
  | (Named<"replaced"> & OfUid)
  | (Named<"opened"> & OfDialog)
  | (Named<"incoming"> & OfDialog & OfUid)
  | SignalMessage
  | CloseMessage
  | Named<"pong">
  | Named<"draining">;

type Check = (value: unknown) => boolean;
type Shapes = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const integer: Check = Number.isSafeInteger;
const text =
  (length: number): Check =>
  (value) =>
    typeof value === "string" && value.length > 0 && value.length <= length;
const bytes =
  (length: number): Check =>
  (value) =>
    typeof value === "string" && value.length <= 64 && fromBase64Url(value)?.length === length;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const refusal: Check = (value) => REFUSALS.some((code) => code === value);

const ofDialog = { dialog: integer };
const ofRequest = { request: integer };
const transportType = text(64);
const close = { ...ofDialog, code: optional(refusal), text: optional(text(256)) };

const CLIENT_SHAPES: Shapes = {
  hello: { version: integer, token: optional(text(1024)) },
  challenge: ofRequest,
  register: {
    ...ofRequest,
    publicKey: bytes(32),
    salt: bytes(16),
    nonce: bytes(16),
    origin: text(300),
    transportType,
    proof: bytes(32),
  },
  unregister: { uid: isUid },
  open: { ...ofDialog, uid: isUid, transportType },
  signal: ofDialog,
  close,
  ping: {},
} satisfies Record<ClientMessage["type"], Shapes[string]>;

const REGISTRAR_SHAPES: Shapes = {
  hello: { version: integer, address: text(64) },
  challenge: { ...ofRequest, ephemeral: bytes(32) },
  registered: { ...ofRequest, uid: isUid },
  refused: { ...ofRequest, code: refusal, text: optional(text(256)) },
  replaced: { uid: isUid },
  opened: ofDialog,
  incoming: { ...ofDialog, uid: isUid },
  signal: ofDialog,
  close,
  pong: {},
  draining: {},
} satisfies Record<RegistrarMessage["type"], Shapes[string]>;

/** A message as one frame. */
export function encodeMessage(message: ClientMessage | RegistrarMessage): string {
  if (message.type !== "signal") return JSON.stringify(message);
  return `{"type":"signal","dialog":${message.dialog}}\n${message.body}`;
}

/** What a frame of a client says; `unknown` for types of later versions, undefined for what breaks the protocol. */
export function decodeClientMessage(frame: string): ClientMessage | Named<"unknown"> | undefined {
  return decode(frame, CLIENT_SHAPES) as ClientMessage | undefined;
}

/** As `decodeClientMessage`, for what a registrar says. */
export function decodeRegistrarMessage(frame: string): RegistrarMessage | Named<"unknown"> | undefined {
  return decode(frame, REGISTRAR_SHAPES) as RegistrarMessage | undefined;
}

function decode(frame: string, shapes: Shapes): unknown {
  const end = frame.indexOf("\n");
  const line = end < 0 ? frame : frame.slice(0, end);
  const head = line.length <= MAX_HEAD ? parseObject(line) : undefined;
  if (!head || typeof head.type !== "string") return undefined;
  const { type } = head;
  if (!Object.hasOwn(shapes, type)) return { type: "unknown" };
  for (const [name, check] of Object.entries(shapes[type]!)) if (!check(head[name])) return undefined;
  if (type !== "signal") return end < 0 ? head : undefined;
  return end < 0 ? undefined : { type, dialog: head.dialog, body: frame.slice(end + 1) };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
