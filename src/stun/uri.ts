import { canonicalIp } from "../base/ip.ts";

/** A STUN or TURN server (RFC 7064, RFC 7065). */
export interface StunUri {
  readonly scheme: "stun" | "turn";
  /** TLS or DTLS: `stuns:` or `turns:`. */
  readonly secure: boolean;
  /** A host name, or a canonical IP literal without brackets. */
  readonly host: string;
  /** 3478, or 5349 where it is secure, if the URI names none. */
  readonly port: number;
  /** Of `turn:` and `turns:`, if the URI names one. */
  readonly transport?: "udp" | "tcp";
}

const URI = /^(stun|turn)(s?):(?:\[([0-9a-f:.]+)\]|([\w.~-]+))(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i;
const DEFAULT_PORT = 3478;
const DEFAULT_SECURE_PORT = 5349;
/** RFC 1035 §2.3.4. */
const MAX_HOST = 255;

/** The server a URI names; undefined if it is none. Never throws: registrars hand out URIs, too. */
export function parseStunUri(text: string): StunUri | undefined {
  const match = text.length > 2 * MAX_HOST ? null : URI.exec(text);
  if (!match) return undefined;
  const [, scheme = "", s, literal, name, digits, transport] = match;
  const host = literal === undefined ? hostOf(name!) : literalOf(literal);
  const secure = s !== "";
  const port = digits === undefined ? (secure ? DEFAULT_SECURE_PORT : DEFAULT_PORT) : Number(digits);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  const server = { scheme: scheme.toLowerCase() as StunUri["scheme"], secure, host, port };
  if (transport === undefined) return server;
  if (server.scheme === "stun") return undefined;
  return { ...server, transport: transport.toLowerCase() as "udp" | "tcp" };
}

/** The URI of a server, with its port. */
export function formatStunUri({ scheme, secure, host, port, transport }: StunUri): string {
  const authority = host.includes(":") ? `[${host}]` : host;
  const query = transport === undefined ? "" : `?transport=${transport}`;
  return `${scheme}${secure ? "s" : ""}:${authority}:${port}${query}`;
}

/** A name as it is, an IPv4 literal if it looks like one: what ends in a number is no name (RFC 3986 §3.2.2). */
function hostOf(name: string): string | undefined {
  if (name.length > MAX_HOST) return undefined;
  return /(^|\.)\d+\.?$/.test(name) ? canonicalIp(name) : name.toLowerCase();
}

function literalOf(text: string): string | undefined {
  return text.includes(":") ? canonicalIp(text) : undefined;
}
