import { typeError } from "../base/argument.ts";
import { fromBase64Url, toBase64Url } from "../base/bytes.ts";
import type { ConnectionInfo, Endpoint, Json, JsonObject } from "../contract/endpoint.ts";
import { badAddress, parseConnectionInfo } from "./connection-info.ts";

const PREFIX = "1tp:";
/** Chosen: a hundred times the ticket of a server with a dozen interfaces and every transport. */
const MAX_TEXT = 1 << 20;

/** The fields of an entry that are usually the same in all: version, publicKey, suite. */
interface Shared {
  readonly v?: string | undefined;
  readonly k?: string | undefined;
  readonly s?: string | undefined;
}

/** What the text holds: the fields all entries share once, then the entries. */
interface Ticket extends Shared {
  readonly e: readonly (readonly [transportType: string, transportInfo: JsonObject, own?: Shared])[];
}

/**
 * A connectionInfo as one line of text for a terminal, a URL or a QR code: `1tp:` and base64url.
 * @throws ERR_INVALID_ARG_TYPE, ERR_1TP_BAD_ADDRESS or ERR_1TP_NO_TRANSPORT if it is none or too large.
 */
export function encodeTicket(connectionInfo: ConnectionInfo | Endpoint): string {
  const endpoints = parseConnectionInfo(connectionInfo);
  const shared = fieldsOf(endpoints[0]!);
  const uniform = endpoints.every((endpoint) => sameFields(fieldsOf(endpoint), shared));
  const ticket: Ticket = {
    ...(uniform ? shared : {}),
    e: endpoints.map((endpoint) => {
      const { transportType, transportInfo } = endpoint;
      return uniform ? [transportType, transportInfo] : [transportType, transportInfo, fieldsOf(endpoint)];
    }),
  };
  const text = PREFIX + toBase64Url(new TextEncoder().encode(JSON.stringify(ticket)));
  if (text.length > MAX_TEXT) throw badAddress("it is too large for a ticket");
  return text;
}

function fieldsOf({ version, publicKey, suite }: Endpoint): Shared {
  return { v: version, k: publicKey, s: suite };
}

function sameFields(a: Shared, b: Shared): boolean {
  return a.v === b.v && a.k === b.k && a.s === b.s;
}

/**
 * The connectionInfo of a ticket; white space that a terminal or a mail put in does no harm.
 * @throws ERR_INVALID_ARG_TYPE if `text` is no string, ERR_1TP_BAD_ADDRESS if it is no ticket, else as
 * a dial of what it holds.
 */
export function decodeTicket(text: string): ConnectionInfo {
  if (typeof text !== "string") throw typeError("text", "of type string", text);
  const ticket = parseTicket(text);
  if (!ticket) throw badAddress("this is no ticket, or only a part of one");
  return parseConnectionInfo(
    ticket.e.map((entry) => {
      const [transportType, transportInfo, own] = Array.isArray(entry) ? entry : [];
      const { v, k, s } = own ?? ticket;
      return { transportType, transportInfo, version: v, publicKey: k, suite: s };
    }),
  );
}

function parseTicket(text: string): Ticket | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const line = text.replace(/\s+/g, "");
  if (!line.startsWith(PREFIX)) return undefined;
  const bytes = fromBase64Url(line.slice(PREFIX.length));
  if (!bytes) return undefined;
  try {
    const ticket = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json;
    return typeof ticket === "object" && ticket !== null && "e" in ticket && Array.isArray(ticket.e)
      ? (ticket as unknown as Ticket)
      : undefined;
  } catch {
    return undefined;
  }
}
