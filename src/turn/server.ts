import { formatStunUri, parseStunUri } from "../stun/uri.ts";

/** How to talk to a TURN server. */
export type TurnProtocol = "udp" | "tcp" | "tls";

/** Where a TURN server is. */
export interface TurnServer {
  /** A name, or a literal without brackets. */
  readonly host: string;
  readonly port: number;
  readonly protocol: TurnProtocol;
}

/** The server that a `turn:` or `turns:` URI (RFC 7065) names; undefined if it is none. `turns:` is TLS: there is no DTLS here. */
export function parseTurnUri(text: string): TurnServer | undefined {
  const uri = parseStunUri(text);
  if (uri?.scheme !== "turn" || (uri.secure && uri.transport === "udp")) return undefined;
  const { host, port, secure, transport = "udp" } = uri;
  return { host, port, protocol: secure ? "tls" : transport };
}

/** How people read a server: its URI. */
export function formatTurnServer({ host, port, protocol }: TurnServer): string {
  const secure = protocol === "tls";
  return formatStunUri({
    scheme: "turn",
    secure,
    host,
    port,
    ...(secure ? {} : { transport: protocol as "udp" }),
  });
}
