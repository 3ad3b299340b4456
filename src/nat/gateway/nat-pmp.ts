import { formatIp } from "../../base/ip.ts";
import { type GatewayAnswer, type MapRequest, viewOf } from "./answer.ts";

const VERSION = 0;
const ADDRESS = 0;
const MAP_UDP = 1;
/** Set in the operation of answers. */
const ANSWER = 0x80;
const UNSUPPORTED_VERSION = 1;
const UNSUPPORTED_OPERATION = 5;

/** Asks for the gateway's outer address (RFC 6886 §3.2). */
export function natPmpAddressRequest(): Uint8Array {
  return Uint8Array.of(VERSION, ADDRESS);
}

/** Asks for a mapping, or ends it (RFC 6886 §3.3, §3.4). */
export function natPmpMapRequest({ inner, outer, lifetime }: MapRequest): Uint8Array {
  const data = new Uint8Array(12);
  const view = viewOf(data);
  data[1] = MAP_UDP;
  view.setUint16(4, inner);
  view.setUint16(6, lifetime === 0 ? 0 : (outer?.port ?? 0));
  view.setUint32(8, lifetime);
  return data;
}

/** Reads an answer; undefined if it is none. Never throws. */
export function readNatPmp(data: Uint8Array): GatewayAnswer | undefined {
  if (data.length < 4 || data[0] !== VERSION || !(data[1]! & ANSWER)) return undefined;
  const view = viewOf(data);
  const code = view.getUint16(2);
  if (code === UNSUPPORTED_VERSION || code === UNSUPPORTED_OPERATION) return { type: "unsupported" };
  if (code !== 0) return { type: "refused", code };
  if (data[1] === (ANSWER | ADDRESS) && data.length === 12) {
    return { type: "address", epoch: view.getUint32(4), address: formatIp({ bytes: data.slice(8) }) };
  }
  if (data[1] !== (ANSWER | MAP_UDP) || data.length !== 16) return undefined;
  return {
    type: "mapped",
    epoch: view.getUint32(4),
    inner: view.getUint16(8),
    port: view.getUint16(10),
    lifetime: view.getUint32(12),
  };
}
