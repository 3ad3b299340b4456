import type { SocketAddress } from "../../contract/datagram-socket.ts";
import type { JsonObject } from "../../contract/endpoint.ts";
import type { LinkKind } from "./candidate.ts";
import type { LinkFault } from "./link.ts";

/** A STUN message to be sent over a link. */
export interface LinkFrame {
  readonly link: number;
  readonly data: Uint8Array;
}

/** What a TCP punch tells. */
export type TcpPunchEvent =
  /** To be sent over the dialog. */
  | { readonly type: "signal"; readonly body: JsonObject }
  /** A connection is wanted: `opened` or `closed` is to follow. `shared`: from the port that candidates name. */
  | {
      readonly type: "connect";
      readonly link: number;
      readonly remote: SocketAddress;
      readonly shared: boolean;
    }
  /** Somebody may come to the shared port from where nobody knows: listen there, too, after what was connected. Once. */
  | { readonly type: "await" }
  /** A link is of no more use. */
  | { readonly type: "close"; readonly link: number }
  /** Both sides take this link: what follows on it is the application's. Once, and last. */
  | {
      readonly type: "chosen";
      readonly link: number;
      readonly remote: SocketAddress;
      readonly kind: LinkKind;
    }
  /** There is nothing left to try: once, and last. */
  | { readonly type: "exhausted" };

/** Why something that came was dropped, or not tried. */
export type TcpPunchDrop =
  | LinkFault
  | "malformed"
  | "too-many"
  | "no-identity"
  | "forbidden"
  | "self"
  | "no-socket"
  | "budget";
