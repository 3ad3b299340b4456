import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { JsonObject } from "../contract/endpoint.ts";
import type { CandidateKind } from "./candidate.ts";

/** A datagram that leaves from one of several sockets, perhaps not far. */
export interface PunchDatagram extends Datagram {
  readonly via: number;
  readonly ttl?: number;
}

/**
 * What is known of a way to the peer: it has told of it, opened it and is attested there (`promising`); it has sent from there
 * (`heard`); it has answered from there (`proven`).
 */
export type Certainty = "promising" | "heard" | "proven";

/** What a punch tells. */
export type PunchEvent =
  /** To be sent over the dialog. */
  | { readonly type: "signal"; readonly body: JsonObject }
  | {
      readonly type: "way";
      readonly certainty: Certainty;
      readonly remote: SocketAddress;
      readonly via: number;
      readonly kind: CandidateKind | "learned";
      /** Large datagrams may go there: it is proven, or the peer's by the word of the dialog's carrier. */
      readonly trusted: boolean;
      readonly trick: string;
    }
  /** More sockets are wanted: `addSockets`. */
  | { readonly type: "sockets"; readonly trick: string; readonly count: number }
  /** There is nothing left to try; once. */
  | { readonly type: "exhausted" };

/** Why something that came was dropped. */
export type PunchDrop =
  | "malformed"
  | "too-many"
  | "forbidden"
  | "self"
  | "no-socket"
  | "no-identity"
  | "message"
  | "stranger"
  | "forged"
  | "replayed"
  | "unasked"
  | "elsewhere"
  | "budget";
