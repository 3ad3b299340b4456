/** Anything JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * One entry of a connectionInfo: one endpoint of one transport, as plain JSON. Entries come from
 * strangers: `transportInfo` is checked by the transport that accepts the entry.
 */
export interface Endpoint {
  /** The transport's word, such as `tcp`. */
  readonly transportType: string;
  /** What that transport needs to dial, such as `{ address, port }`. */
  readonly transportInfo: JsonObject;
  /** The version of 1tp that made the entry; information only. */
  readonly version?: string;
  /** The server's X25519 public key, base64url without padding. */
  readonly publicKey?: string;
  /** The cipher the server prefers, `AESGCM` or `ChaChaPoly`. */
  readonly suite?: string;
}

/** Where a server can be reached, in the order of its transports. Plain JSON. */
export type ConnectionInfo = readonly Endpoint[];
