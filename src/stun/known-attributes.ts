import {
  ALTERNATE_SERVER,
  MAPPED_ADDRESS,
  OTHER_ADDRESS,
  RESPONSE_ORIGIN,
  XOR_MAPPED_ADDRESS,
} from "./addresses.ts";
import { CHANGE_REQUEST, PADDING, RESPONSE_PORT } from "./behaviour.ts";
import { PRIORITY, USE_CANDIDATE } from "./checks.ts";
import { ERROR_CODE, UNKNOWN_ATTRIBUTES } from "./errors.ts";
import { FINGERPRINT_TYPE } from "./fingerprint.ts";
import { INTEGRITY_SHA256_TYPE, INTEGRITY_TYPE } from "./message.ts";
import { PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, USERHASH } from "./secrets.ts";
import { NONCE, REALM, SOFTWARE, USERNAME } from "./texts.ts";

/** The types of every attribute this room understands; what stands on it adds its own. */
export const KNOWN_ATTRIBUTES: ReadonlySet<number> = new Set([
  ...[MAPPED_ADDRESS, XOR_MAPPED_ADDRESS, ALTERNATE_SERVER, RESPONSE_ORIGIN, OTHER_ADDRESS].map(typeOf),
  ...[USERNAME, REALM, NONCE, SOFTWARE, ERROR_CODE, UNKNOWN_ATTRIBUTES].map(typeOf),
  ...[USERHASH, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS].map(typeOf),
  ...[CHANGE_REQUEST, PADDING, RESPONSE_PORT, PRIORITY, USE_CANDIDATE].map(typeOf),
  INTEGRITY_TYPE,
  INTEGRITY_SHA256_TYPE,
  FINGERPRINT_TYPE,
]);

function typeOf({ type }: { readonly type: number }): number {
  return type;
}
