import type { Crypto } from "../contract/crypto.ts";

/** Who asks a TURN server. */
export interface TurnUser {
  readonly username: string;
  readonly password: string;
}

/**
 * What a server that shares `secret` with us admits until `expiry`, in seconds since the epoch: the password is the HMAC-SHA1 of
 * `expiry:user` in base64 (draft-uberti-behave-turn-rest §2.2).
 */
export function restCredentials(crypto: Crypto, secret: string, user: string, expiry: number): TurnUser {
  const encoder = new TextEncoder();
  const username = `${Math.floor(expiry)}:${user}`;
  const mac = crypto.hmacSha1(encoder.encode(secret), encoder.encode(username));
  return { username, password: btoa(String.fromCharCode(...mac)) };
}
