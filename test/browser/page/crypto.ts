import { crypto, runtime } from "#platform";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import type { CipherName } from "../../../src/contract/crypto.ts";

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);

/** A public key and what it agrees on with another one. */
export function agree(secret: string, remote: string): (string | undefined)[] {
  const keys = crypto.keyPair(fromHex(secret)!);
  return [toHex(keys.publicKey), hex(keys.agree(fromHex(remote)!))];
}

/** Every hash of the data, keyed where they take a key. */
export function hashes(key: string, data: string): string[] {
  const [k, d] = [fromHex(key)!, fromHex(data)!];
  return [crypto.sha256(d), crypto.hmacSha256(k, d), crypto.hmacSha1(k, d), crypto.md5(d)].map(toHex);
}

/** What an AEAD seals. */
export function seal(cipher: CipherName, key: string, nonce: string, ad: string, plaintext: string): string {
  const bytes = fromHex(plaintext)!;
  const out = new Uint8Array(bytes.length + 16);
  crypto.aead(cipher, fromHex(key)!).seal(fromHex(nonce)!, fromHex(ad)!, bytes, out, 0);
  return toHex(out);
}

/** What an AEAD opens. */
export function open(cipher: CipherName, key: string, nonce: string, ad: string, sealed: string) {
  return hex(crypto.aead(cipher, fromHex(key)!).open(fromHex(nonce)!, fromHex(ad)!, fromHex(sealed)!));
}

/** How many different bytes there are among so many random ones. */
export function differentRandomBytes(count: number): number {
  return new Set(runtime.random.fill(new Uint8Array(count)).subarray(-4096)).size;
}
