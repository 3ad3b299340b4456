import { withoutZone } from "../base/socket-address.ts";
import type { ChannelPath } from "../contract/channel.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";

/** How a punch came to an address of the peer, in RFC 8445's words for kinds of candidates. */
const TYPES = {
  host: "host",
  listening: "host",
  reflexive: "srflx",
  mapped: "srflx",
  predicted: "prflx",
  learned: "prflx",
  accepted: "prflx",
} as const;

/** A way that a punch has found, in the words of reports. */
export function pathOf(kind: keyof typeof TYPES, remote: SocketAddress, localPort: number): ChannelPath {
  return {
    relayed: false,
    local: { type: "host", port: localPort },
    remote: { type: TYPES[kind], address: withoutZone(remote.address), port: remote.port },
  };
}
