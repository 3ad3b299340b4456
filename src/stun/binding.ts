import type { SocketAddress } from "../contract/datagram-socket.ts";
import { MAPPED_ADDRESS, XOR_MAPPED_ADDRESS } from "./addresses.ts";
import type { Message } from "./message.ts";

/** The method that asks where a request came from (RFC 8489 §18.2). */
export const BINDING = 0x001;

/** The address a Binding success says the request came from. */
export function reflexiveAddress(response: Message): SocketAddress | undefined {
  return XOR_MAPPED_ADDRESS.in(response) ?? MAPPED_ADDRESS.in(response);
}
