import { checkOptional, checkPort, typeError, valueError } from "../../src/base/argument.ts";
import { nodeError } from "../../src/base/errors.ts";
import { canonicalIp } from "../../src/base/ip.ts";
import type { PlanningOptions } from "../../src/base/planning.ts";
import type { Crypto } from "../../src/contract/crypto.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { TurnWay } from "../../src/host/turn-link.ts";
import type { UtpOptions } from "../../src/host/utp-options.ts";
import { restCredentials, type TurnUser } from "../../src/turn/rest-credentials.ts";
import { parseTurnUri, type TurnProtocol, type TurnServer } from "../../src/turn/server.ts";

/** Options of the turn transport. */
export interface TurnTransportOptions extends PlanningOptions, UtpOptions {
  /** A name or IP literal, or a `turn:` or `turns:` URI (RFC 7065), which needs no `turnPort` and no `turnProtocol`. */
  readonly turnServer: string;
  readonly turnPort?: number;
  /** How to talk to the server; default `udp`. */
  readonly turnProtocol?: TurnProtocol;
  readonly turnUsername?: string;
  /** The same as `turnUsername`. */
  readonly turnUserName?: string;
  readonly turnPassword?: string;
  /** What the server shares with us (coturn's `static-auth-secret`), in place of the password. */
  readonly turnSecret?: string;
  /** PEM of who signed the server's certificate, in place of the system's. */
  readonly turnCa?: string;
  /** Carries the dialogs in which the two sides learn of each other's addresses. */
  readonly signaling: Signaling;
}

const PROTOCOLS: readonly string[] = ["udp", "tcp", "tls"];
/** How long REST credentials are good (coturn's documentation takes a day). */
const SECRET_LIFETIME = 86_400;
/** The name that stands in REST credentials unless there is another. */
const USUAL_NAME = "1tp";

/** Where the server is. @throws Node's argument errors, saying what is missing or wrong. */
export function readWay(options: TurnTransportOptions): TurnWay {
  const { turnCa: ca } = options;
  checkOptional("options.turnCa", ca, "string");
  return { ...readServer(options), ...(ca === undefined ? {} : { ca }) };
}

function readServer({ turnServer, turnPort, turnProtocol = "udp" }: TurnTransportOptions): TurnServer {
  if (typeof turnServer !== "string") throw typeError("options.turnServer", "of type string", turnServer);
  if (!PROTOCOLS.includes(turnProtocol)) {
    throw valueError("options.turnProtocol", "must be one of udp, tcp, tls", turnProtocol);
  }
  if (/^turns?:/i.test(turnServer)) {
    const server = parseTurnUri(turnServer);
    if (server) return server;
    throw valueError("options.turnServer", "must be a URI of RFC 7065 over UDP, TCP or TLS", turnServer);
  }
  const host = canonicalIp(turnServer) ?? turnServer;
  if (!parseTurnUri(`turn:${host.includes(":") ? `[${host}]` : host}`)) {
    throw valueError("options.turnServer", "must be a name, an IP literal or a URI", turnServer);
  }
  if (turnPort === undefined) throw typeError("options.turnPort", "of type number", turnPort);
  const port = checkPort("options.turnPort", turnPort);
  if (port === 0) throw valueError("options.turnPort", "must not be 0", turnPort);
  return { host, port, protocol: turnProtocol };
}

/** Makes what the server asks for. `crypto` and `wall` serve REST credentials. @throws as `readWay`, without what was given. */
export function readUser(options: TurnTransportOptions, crypto: Crypto): (wall: number) => TurnUser {
  const { turnUsername, turnUserName, turnPassword, turnSecret } = options;
  const name = turnUsername ?? turnUserName;
  for (const [key, value] of Object.entries({ turnUsername: name, turnPassword, turnSecret })) {
    if (value !== undefined && (typeof value !== "string" || value === "")) throw missing(key);
  }
  if (turnSecret !== undefined) {
    return (wall) => restCredentials(crypto, turnSecret, name ?? USUAL_NAME, wall / 1000 + SECRET_LIFETIME);
  }
  if (name === undefined) throw missing("turnUsername");
  if (turnPassword === undefined) throw missing("turnPassword", " unless there is a turnSecret");
  const user = { username: name, password: turnPassword };
  return () => user;
}

/** Credentials never stand in an error. */
function missing(key: string, unless = ""): Error {
  const message = `The "options.${key}" property must be a string that is not empty${unless}.`;
  return nodeError("ERR_INVALID_ARG_TYPE", message, TypeError);
}
