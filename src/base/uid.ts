import type { Crypto } from "../contract/crypto.ts";
import { typeError } from "./argument.ts";
import { toHex } from "./bytes.ts";

/** Bytes of the salt a client chooses, so that one key can have any number of uids. */
export const SALT_LENGTH = 16;

/** Bytes of a uid. */
export const UID_LENGTH = 16;

/**
 * The uid of a public key and a salt, 32 hexadecimal digits: the first half of their SHA-256. Nobody can
 * make one that belongs to another's key, and nobody has to remember whose it is.
 */
export function deriveUid(crypto: Crypto, publicKey: Uint8Array, salt: Uint8Array): string {
  return toHex(crypto.sha256(publicKey, salt).subarray(0, UID_LENGTH));
}

/** Whether a stranger's value looks like a uid. */
export function isUid(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

/** @throws ERR_INVALID_ARG_TYPE for a salt that is given and is not 16 bytes. */
export function checkSalt(salt: unknown): asserts salt is Uint8Array | undefined {
  if (salt === undefined || (salt instanceof Uint8Array && salt.length === SALT_LENGTH)) return;
  throw typeError("options.salt", `a Uint8Array of ${SALT_LENGTH} bytes`, salt);
}
