import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Random } from "../contract/runtime.ts";
import type { Credentials } from "../stun/credentials.ts";
import type { TurnFailure } from "./failure.ts";

/** What an allocation is made of. */
export interface AllocationOptions {
  readonly random: Random;
  readonly server: SocketAddress;
  readonly credentials: Credentials;
  /** It speaks over TCP or TLS. */
  readonly reliable: boolean;
  /** The family of the relayed address; the server's choice, which is IPv4, if absent. */
  readonly family?: 4 | 6 | undefined;
  /** Between the server and peers: UDP if absent; over TCP they connect to the relayed address (RFC 6062), which `reliable` must be for. */
  readonly peers?: "udp" | "tcp" | undefined;
  /** There is something to transmit that was not asked for; run the verbs. */
  readonly onWork: () => void;
}

/**
 * `allocated`: there is a relayed address; `failed`: there will be none; `lost`: there is none any more; `released`: the server was
 * told, or does not listen. Of a peer: `permitted` and `denied` answer `permit`, and `denied` also comes when the server takes
 * a permission back; `data` came without a channel; `unreachable`: ICMP came in answer to what was sent; `attempt`: it has connected,
 * and waits for a connection of ours that is bound to its number.
 */
export type TurnEvent =
  | { readonly type: "allocated" }
  | { readonly type: "released"; readonly failure?: undefined }
  | { readonly type: "failed" | "lost"; readonly failure: TurnFailure }
  | { readonly type: "permitted"; readonly address: string }
  | { readonly type: "denied"; readonly address: string; readonly failure: TurnFailure }
  | { readonly type: "data"; readonly data: Uint8Array; readonly remote: SocketAddress }
  | { readonly type: "unreachable"; readonly code: string; readonly remote: SocketAddress }
  | { readonly type: "attempt"; readonly connection: number; readonly remote: SocketAddress };

/** Why something was dropped: the client's reasons, and these. */
export type TurnDrop = "channel" | "length" | "indication" | "peer" | "unallocated";
