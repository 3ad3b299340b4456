import { canonicalIp, formatIp, parseIp } from "../../base/ip.ts";
import { type GatewayAnswer, type MapRequest, viewOf } from "./answer.ts";

const VERSION = 2;
const ANNOUNCE = 0;
const MAP = 1;
/** Set in the operation of answers. */
const ANSWER = 0x80;
/** IANA's number for UDP. */
const UDP = 17;
/** Octets of the header, with the body of MAP, and with all options there may be (RFC 6887 §7, §11.1). */
const HEADER = 24;
const MAP_SIZE = 60;
const MAX_SIZE = 1100;
/** UNSUPP_VERSION, UNSUPP_OPCODE and UNSUPP_PROTOCOL (RFC 6887 §7.4): another protocol may do. */
const UNSUPPORTED: readonly number[] = [1, 4, 9];

/** Asks for a mapping, or ends it (RFC 6887 §11.1). */
export function pcpMapRequest({ client, nonce, inner, outer, lifetime }: MapRequest): Uint8Array {
  const data = new Uint8Array(MAP_SIZE);
  const view = viewOf(data);
  data.set([VERSION, MAP]);
  view.setUint32(4, lifetime);
  writeV4(data, 8, client);
  data.set(nonce, 24);
  data[36] = UDP;
  view.setUint16(40, inner);
  view.setUint16(42, lifetime === 0 ? 0 : (outer?.port ?? 0));
  writeV4(data, 44, (lifetime > 0 && outer?.address) || "0.0.0.0");
  return data;
}

/** An IPv4 address takes 16 octets, as IPv4-mapped IPv6 (RFC 6887 §5). */
function writeV4(data: Uint8Array, at: number, address: string): void {
  data.set([0xff, 0xff, ...(parseIp(address)?.bytes ?? [])], at + 10);
}

/** Reads an answer; undefined if it is none, or about another protocol than UDP. Never throws. */
export function readPcp(data: Uint8Array): GatewayAnswer | undefined {
  const { length } = data;
  if (length < HEADER || length > MAX_SIZE || length % 4 !== 0) return undefined;
  if (!(data[1]! & ANSWER)) return undefined;
  const view = viewOf(data);
  const code = data[3]!;
  if (UNSUPPORTED.includes(code)) return { type: "unsupported" };
  if (data[0] !== VERSION) return undefined;
  if (code !== 0) return { type: "refused", code, pause: view.getUint32(4) };
  const epoch = view.getUint32(8);
  if (data[1] === (ANSWER | ANNOUNCE)) return { type: "announced", epoch };
  if (data[1] !== (ANSWER | MAP) || length < MAP_SIZE || data[36] !== UDP) return undefined;
  return {
    type: "mapped",
    epoch,
    nonce: data.slice(24, 36),
    inner: view.getUint16(40),
    port: view.getUint16(42),
    address: canonicalIp(formatIp({ bytes: data.slice(44, 60) }))!,
    lifetime: view.getUint32(4),
  };
}
