/** How a client proves that a uid is its own, to the registrar it means and to no other. */
import { concat, fromHex } from "../../src/base/bytes.ts";
import { hkdf } from "../../src/base/hkdf.ts";
import type { Crypto, KeyPair } from "../../src/contract/crypto.ts";

const encoder = new TextEncoder();
const INFO = encoder.encode("1tp-registrar-v1");

/** What a proof is about, besides the two keys. */
export interface ProofContext {
  /** The registrar's URL as dialled, reduced to its origin (`originOf`): nobody can relay the proof to another. */
  readonly origin: string;
  /** The registrar's ephemeral public key, used once. */
  readonly ephemeral: Uint8Array;
  /** 16 random bytes of the client. */
  readonly nonce: Uint8Array;
  readonly uid: string;
}

/**
 * HMAC-SHA-256(HKDF(DH(static, ephemeral), '1tp-registrar-v1'), origin ‖ ephemeral ‖ nonce ‖ uid): the client
 * makes it with its static pair, the registrar checks it with its ephemeral one. Undefined for an unusable key.
 */
export function registrationProof(
  crypto: Crypto,
  own: KeyPair,
  theirs: Uint8Array,
  { origin, ephemeral, nonce, uid }: ProofContext,
): Uint8Array | undefined {
  const secret = own.agree(theirs);
  if (!secret) return undefined;
  const key = hkdf(crypto, new Uint8Array(32), secret, 32, INFO);
  return crypto.hmacSha256(key, concat([encoder.encode(origin), ephemeral, nonce, fromHex(uid)!]));
}

/** Whether two proofs are the same, in a time that does not say where they differ. */
export function sameProof(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/**
 * `wss://host:port` of a ws, wss, http or https URL, without a default port; undefined for anything else, and for what has a
 * fragment, which no WebSocket is opened at (RFC 6455 §3).
 */
export function originOf(url: string): string | undefined {
  const parsed = URL.canParse(url) && !url.includes("#") ? new URL(url) : undefined;
  if (!parsed || !/^(ws|http)s?:$/.test(parsed.protocol) || parsed.host === "") return undefined;
  return `${parsed.protocol.replace("http", "ws")}//${parsed.host}`;
}
