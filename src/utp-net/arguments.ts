import { DgramSocket } from "#platform";
import { checkOptional, typeError } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import type { ConnectionOptions } from "./options.ts";
import type { Family } from "./resolution.ts";

/** A kind of socket, as `dgram.createSocket` calls it. */
export type SocketType = "udp4" | "udp6";

/** Takes the callback off the end, if there is one. */
export function takeCallback<Callback>(given: unknown[]): Callback | undefined {
  while (given.length > 0 && given.at(-1) === undefined) given.pop();
  return typeof given.at(-1) === "function" ? (given.pop() as Callback) : undefined;
}

/** The family of a kind of socket; 0 for what is none. */
export function familyOf(type: unknown): Family {
  return type === "udp4" ? 4 : type === "udp6" ? 6 : 0;
}

/** A number or a text, whose value is for others to check. @throws ERR_INVALID_ARG_TYPE */
export function checkPortType(value: unknown): number | string {
  if (typeof value === "number" || typeof value === "string") return value;
  throw typeError("port", "of type number or string", value);
}

/** What `listen` was given. */
export interface ListenArguments {
  readonly port: number | string;
  /** What to bind: a socket of the user's, or a kind of socket, or a host. */
  readonly socket: DgramSocket | string;
}

/** `port[, socket | type | host]`, `socket`, or nothing. @throws ERR_INVALID_ARG_TYPE */
export function listenArguments(given: readonly unknown[]): ListenArguments {
  const [first = 0, second = "udp4", ...surplus] = given;
  if (surplus.length > 0) throw typeError("callback", "of type function", surplus[0]);
  if (first instanceof DgramSocket && given.length === 1) return { port: 0, socket: first };
  const port = checkPortType(first);
  if (second instanceof DgramSocket || typeof second === "string") return { port, socket: second };
  throw typeError("socket", "a dgram.Socket, 'udp4', 'udp6' or a host", second);
}

/** What `connect` was given. */
export interface ConnectArguments {
  readonly port: number | string;
  readonly host: string;
  /** A socket of the user's. */
  readonly socket: DgramSocket | undefined;
  readonly family: Family;
  readonly options: ConnectionOptions;
}

/** `port[, host][, socket | type][, options]`. @throws ERR_INVALID_ARG_TYPE, ERR_SOCKET_BAD_TYPE */
export function connectArguments(given: readonly unknown[]): ConnectArguments {
  const [first, second, ...rest] = given;
  const port = checkPortType(first);
  checkOptional("host", second, "string");
  const host = (second as string | undefined) || "localhost";
  const third = rest[0];
  const via = third instanceof DgramSocket || typeof third === "string" ? rest.shift() : undefined;
  if (via === undefined && rest.length > 1 && (third === undefined || third === null)) rest.shift();
  const [options = {}, surplus] = rest;
  if (surplus !== undefined) throw typeError("onConnect", "of type function", surplus);
  if (typeof via === "string" && familyOf(via) === 0) throw badType(via);
  const socket = via instanceof DgramSocket ? via : undefined;
  return { port, host, socket, family: familyOf(via), options: options as ConnectionOptions };
}

function badType(type: string): Error {
  const message = `Bad socket type specified. Valid types are: udp4, udp6. Received '${type}'`;
  return nodeError("ERR_SOCKET_BAD_TYPE", message, TypeError);
}
