/** Where tests compare with OpenSSL, a page compares with itself. */
export { nobleCrypto as nodeCrypto } from "../../../../src/platform/noble-crypto.ts";
