/** Where gateways take requests of both protocols (RFC 6886 §3, RFC 6887 §19.1). */
export const GATEWAY_PORT = 5351;

/** The protocols in which a gateway can be asked to map a port. */
export type GatewayProtocol = "pcp" | "nat-pmp";

/** What is asked for: an outer UDP port that leads to an inner one for so many seconds; 0 ends it. */
export interface MapRequest {
  /** IPv4 literal of ours that the gateway sees. */
  readonly client: string;
  /** 12 bytes that only we and the gateway know (RFC 6887 §11.2); NAT-PMP has none. */
  readonly nonce: Uint8Array;
  readonly inner: number;
  /** The outer port and address that we would like to have, or have. Absent: any. */
  readonly outer?: { readonly port: number; readonly address: string } | undefined;
  readonly lifetime: number;
}

/** What a gateway says, in whichever protocol. `epoch` are the seconds for which it has known what it knows. */
export type GatewayAnswer =
  | {
      readonly type: "mapped";
      readonly epoch: number;
      readonly nonce?: Uint8Array;
      readonly inner: number;
      readonly port: number;
      /** NAT-PMP tells it by itself. */
      readonly address?: string;
      /** In seconds; 0: it has ended. */
      readonly lifetime: number;
    }
  | { readonly type: "address"; readonly epoch: number; readonly address: string }
  | { readonly type: "announced"; readonly epoch: number }
  /** `pause`: seconds for which the same question gets the same answer; absent: not said. */
  | { readonly type: "refused"; readonly code: number; readonly pause?: number }
  /** It does not speak this version, or cannot map in it. */
  | { readonly type: "unsupported" };

/** The bytes of a datagram as numbers in network order. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
