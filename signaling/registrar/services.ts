import { checkOptional, checkPort, rangeError, typeError, valueError } from "../../src/base/argument.ts";
import { canonicalIp, ipFamily, ipScope } from "../../src/base/ip.ts";
import { ownAddresses } from "../../src/base/listening.ts";
import type { Crypto } from "../../src/contract/crypto.ts";
import type { TurnService } from "../../src/contract/dialog.ts";
import type { NetworkInterface } from "../../src/contract/runtime.ts";
import { parseStunUri } from "../../src/stun/uri.ts";
import type { StunService } from "./protocol.ts";

/** The STUN server of the registrar's process, which answers everybody, over UDP and TCP. */
export interface StunOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** A second port; with a second address it lets clients find out how their NAT behaves (RFC 5780). */
  readonly alternatePort?: number;
  /** Own addresses to answer on; default: those of the registrar. */
  readonly addresses?: readonly string[];
  /** `stun:` URIs to tell clients; default: the host that they dialled, with the port. */
  readonly uris?: readonly string[];
}

/** TURN servers that share a secret with the registrar (coturn: `use-auth-secret`). */
export interface TurnOptions {
  /** `turn:` and `turns:` URIs (RFC 7065), at most 16. */
  readonly uris: readonly string[];
  readonly secret: string;
  /** Seconds a client can use what it is given; default a day. */
  readonly lifetime?: number;
}

/** Chosen: as many as clients read. */
const MAX_URIS = 16;

/** What draft-uberti-behave-turn-rest proposes, in seconds. */
const TURN_LIFETIME = 86_400;

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_SOCKET_BAD_PORT */
export function checkServices(stun: StunOptions | false | undefined, turn: TurnOptions | undefined): void {
  if (stun !== false) {
    checkOptional("options.stun", stun, "object");
    checkPort("options.stun.port", stun?.port ?? 0);
    checkPort("options.stun.alternatePort", stun?.alternatePort ?? 0);
    checkList("options.stun.addresses", stun?.addresses ?? [], "own addresses", isBindable);
    checkList("options.stun.uris", stun?.uris ?? [], "stun URIs", (uri) => stunServiceAt(uri) !== undefined);
  }
  checkOptional("options.turn", turn, "object");
  if (!turn) return;
  checkList("options.turn.uris", turn.uris, "turn URIs", (uri) => parseStunUri(uri)?.scheme === "turn");
  if (turn.uris.length === 0) throw valueError("options.turn.uris", "must name a server", "");
  // The value is a secret, and errors are logged.
  if (typeof turn.secret !== "string" || turn.secret === "") {
    throw typeError("options.turn.secret", "a string that is not empty", undefined);
  }
  const { lifetime = TURN_LIFETIME } = turn;
  if (!Number.isSafeInteger(lifetime) || lifetime < 1) {
    throw rangeError("options.turn.lifetime", "an integer >= 1", lifetime);
  }
}

/** The own addresses a STUN server stands on, that of the registrar being `host`: each has a socket of its own. */
export function stunAddresses(
  options: StunOptions,
  host: string,
  interfaces: readonly NetworkInterface[],
): readonly string[] {
  if (options.addresses && options.addresses.length > 0) return options.addresses;
  if (ipScope(host) !== "unspecified") return [host];
  const family = ipFamily(host) === 4 ? 4 : 0;
  const loopback = interfaces.filter(({ internal, family: own }) => internal && (!family || own === "IPv4"));
  return [...new Set([...ownAddresses(interfaces, family), ...loopback.map(({ address }) => address)])];
}

/** What clients are told of a STUN server on these ports. */
export function stunServices(options: StunOptions, ports: readonly number[]): readonly StunService[] {
  if (options.uris && options.uris.length > 0) return options.uris.map((uri) => stunServiceAt(uri)!);
  const { addresses = [] } = options;
  const distinct = [...new Set(ports)];
  const hosts = addresses.length > 0 ? addresses.map((host) => ({ host })) : [{}];
  return distinct.flatMap((port) => hosts.map((host) => ({ ...host, port }))).slice(0, MAX_URIS);
}

/**
 * Credentials for a while (draft-uberti-behave-turn-rest-00 §2.2): the name is the expiry in Unix seconds and who asks,
 * the password an HMAC-SHA-1 of it, which the TURN server can make, too. `wall` is in ms.
 */
export function turnService(crypto: Crypto, options: TurnOptions, client: string, wall: number): TurnService {
  const { uris, secret, lifetime = TURN_LIFETIME } = options;
  const encoder = new TextEncoder();
  const username = `${Math.floor(wall / 1000) + lifetime}:${client}`;
  const mac = crypto.hmacSha1(encoder.encode(secret), encoder.encode(username));
  return { uris, username, password: btoa(String.fromCharCode(...mac)) };
}

function stunServiceAt(uri: string): StunService | undefined {
  const server = parseStunUri(uri);
  return server?.scheme === "stun" && !server.secure ? { host: server.host, port: server.port } : undefined;
}

function isBindable(address: string): boolean {
  return canonicalIp(address) === address && ipScope(address) !== "unspecified";
}

function checkList(name: string, list: unknown, what: string, check: (item: string) => boolean): void {
  if (!Array.isArray(list)) throw typeError(name, `an array of ${what}`, list);
  if (list.length > MAX_URIS) throw rangeError(name, `at most ${MAX_URIS} ${what}`, list.length);
  const wrong = list.find((item) => typeof item !== "string" || !check(item));
  if (wrong !== undefined) throw valueError(name, `must hold ${what}`, wrong);
}
