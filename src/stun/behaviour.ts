/** What NAT behaviour discovery adds (RFC 5780 §7); its addresses are in `addresses.ts`. */

import { AttributeKind, opaque } from "./attribute.ts";

/** Where a response is to come from: another IP, another port, or both. */
export interface Change {
  readonly ip: boolean;
  readonly port: boolean;
}

/** Asks for a response from elsewhere (RFC 5780 §7.2). */
export const CHANGE_REQUEST = new AttributeKind<Change>(0x0003, {
  encode: ({ ip, port }) => Uint8Array.of(0, 0, 0, (ip ? 4 : 0) | (port ? 2 : 0)),
  decode(bytes) {
    return bytes.length === 4 ? { ip: (bytes[3]! & 4) !== 0, port: (bytes[3]! & 2) !== 0 } : undefined;
  },
});

/** Makes a request large enough to be fragmented (RFC 5780 §7.6). */
export const PADDING = opaque(0x0026);

/** Asks for a response to another port of the same IP, for binding lifetimes (RFC 5780 §7.5). */
export const RESPONSE_PORT = new AttributeKind<number>(0x0027, {
  encode: (port) => Uint8Array.of(port >> 8, port & 0xff, 0, 0),
  decode(bytes) {
    const port = (bytes[0]! << 8) | bytes[1]!;
    return bytes.length === 4 && port !== 0 ? port : undefined;
  },
});
