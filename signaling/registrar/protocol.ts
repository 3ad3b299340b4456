/**
 * The registrar's protocol, version 1. Text frames over a WebSocket, each a JSON object on one line; `signal`
 * has a second line, the body, which the registrar passes on unread. Unknown fields and types are ignored,
 * what is no such frame ends the connection.
 *
 * ```
 * client                                   registrar
 *   hello {version, token?}           ->
 *                                     <-   hello {version, address, relay?}   the client's address as seen
 *   challenge {request}               ->
 *                                     <-   challenge {request, ephemeral}
 *   register {request, publicKey, salt, nonce, origin, transportType, proof} ->       (proof.ts)
 *                                     <-   registered {request, uid}
 *                                     <-   refused {request, code, text?}
 *                                     <-   replaced {uid}                 registered anew elsewhere
 *   enrol {request, salt, transportType} ->                               where the connection itself has proved a key
 *   unregister {uid}                  ->
 *   open {dialog, uid, transportType} ->                                  dialog: 1, 2, 3 … by the client
 *                                     <-   opened {dialog, address?}       the peer's address as seen
 *                                     <-   incoming {dialog, uid, address?}   dialog: -1, -2 … by the registrar
 *   signal {dialog} + body            <->
 *   close {dialog, code?, text?}      <->  also the refusal of an open
 *   relay {dialog}                    ->                                  both sides: then binary frames (relay-frame.ts)
 *                                     <-   relay {dialog}                 they both want it
 *   services {request}                ->
 *                                     <-   services {request, stun, turn}
 *   ping                              ->
 *                                     <-   pong
 *                                     <-   draining                       connect anew, elsewhere or later
 * ```
 */
import { fromBase64Url } from "../../src/base/bytes.ts";
import { isUid } from "../../src/base/uid.ts";
import type { TurnService } from "../../src/contract/dialog.ts";

/** The version both sides have to name in `hello`. */
export const PROTOCOL_VERSION = 1;

/** The longest frame that is read at all; longer ones end the connection (chosen: a body too long still gets an answer). */
export const MAX_FRAME = 32_768;

/** The longest first line of a client's frame (chosen: the longest, `register`, has some 500 characters). */
const MAX_CLIENT_HEAD = 2_048;

/** The same of a registrar's: the longest is `services`. */
const MAX_REGISTRAR_HEAD = 8_192;

/** The longest token (chosen). */
export const MAX_TOKEN = 1_024;

/** The most that `services` may name, and the longest of it (chosen). */
const MAX_SERVICES = 16;
const MAX_URI = 512;

/** Why something was refused or ended. */
export const REFUSALS = [
  "offline",
  "too-large",
  "too-fast",
  "too-many",
  "too-much",
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

/** What a client shows whose connection has proved its key; the uid is that of this key and the salt. */
export interface EnrolMessage extends Named<"enrol">, OfRequest {
  readonly salt: string;
  readonly transportType: string;
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

/** A STUN server; without `host` it is on the host of the registrar, as the client dialled it. */
export interface StunService {
  readonly host?: string | undefined;
  readonly port: number;
}

/** What a registrar offers besides dialogs. */
export interface RegistrarServices {
  readonly stun: readonly StunService[];
  readonly turn: readonly TurnService[];
}

interface Observed {
  /** Where the registrar sees the other end of the dialog. */
  readonly address?: string | undefined;
}

/** Everything a client may say. */
export type ClientMessage =
  | (Named<"hello"> & { readonly version: number; readonly token?: string })
  | (Named<"challenge"> & OfRequest)
  | RegisterMessage
  | EnrolMessage
  | (Named<"unregister"> & OfUid)
  | OpenMessage
  | SignalMessage
  | CloseMessage
  | (Named<"services"> & OfRequest)
  | (Named<"relay"> & OfDialog)
  | Named<"ping">;

/** Everything a registrar may say. */
export type RegistrarMessage =
  | (Named<"hello"> & { readonly version: number; readonly address: string; readonly relay?: boolean })
  | (Named<"challenge"> & OfRequest & { readonly ephemeral: string })
  | (Named<"registered"> & OfRequest & OfUid)
  | (Named<"refused"> & OfRequest & Refusal)
  | (Named<"replaced"> & OfUid)
  | (Named<"opened"> & OfDialog & Observed)
  | (Named<"incoming"> & OfDialog & OfUid & Observed)
  | (Named<"services"> & OfRequest & RegistrarServices)
  | (Named<"relay"> & OfDialog)
  | SignalMessage
  | CloseMessage
  | Named<"pong">
  | Named<"draining">;

type Check = (value: unknown) => boolean;
type Shapes = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const isBoolean: Check = (value) => typeof value === "boolean";
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

const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_SERVICES && value.every(check);
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]));

const ofDialog = { dialog: integer };
const ofRequest = { request: integer };
const observed = { address: optional(text(64)) };
const transportType = text(64);
const stun = listOf(record({ host: optional(text(255)), port: integer }));
const turn = listOf(
  record({ uris: listOf(text(MAX_URI)), username: text(MAX_URI), password: text(MAX_URI) }),
);
const close = { ...ofDialog, code: optional(refusal), text: optional(text(256)) };

const CLIENT_SHAPES: Shapes = {
  hello: { version: integer, token: optional(text(MAX_TOKEN)) },
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
  enrol: { ...ofRequest, salt: bytes(16), transportType },
  unregister: { uid: isUid },
  open: { ...ofDialog, uid: isUid, transportType },
  signal: ofDialog,
  close,
  services: ofRequest,
  relay: ofDialog,
  ping: {},
} satisfies Record<ClientMessage["type"], Shapes[string]>;

const REGISTRAR_SHAPES: Shapes = {
  hello: { version: integer, address: text(64), relay: optional(isBoolean) },
  challenge: { ...ofRequest, ephemeral: bytes(32) },
  registered: { ...ofRequest, uid: isUid },
  refused: { ...ofRequest, code: refusal, text: optional(text(256)) },
  replaced: { uid: isUid },
  opened: { ...ofDialog, ...observed },
  incoming: { ...ofDialog, uid: isUid, ...observed },
  services: { ...ofRequest, stun, turn },
  relay: ofDialog,
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
  return decode(frame, CLIENT_SHAPES, MAX_CLIENT_HEAD) as ClientMessage | undefined;
}

/** As `decodeClientMessage`, for what a registrar says. */
export function decodeRegistrarMessage(frame: string): RegistrarMessage | Named<"unknown"> | undefined {
  return decode(frame, REGISTRAR_SHAPES, MAX_REGISTRAR_HEAD) as RegistrarMessage | undefined;
}

function decode(frame: string, shapes: Shapes, longest: number): unknown {
  const end = frame.indexOf("\n");
  const line = end < 0 ? frame : frame.slice(0, end);
  const head = line.length <= longest ? parseObject(line) : undefined;
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
