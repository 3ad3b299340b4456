import { OnetpError, systemError } from "../base/errors.ts";
import { canonicalIp, ipFamily } from "../base/ip.ts";
import type { Runtime } from "../contract/runtime.ts";

/** A family of IP addresses; 0: any. */
export type Family = 0 | 4 | 6;

/** The wildcard address and the loopback address of a family. */
export const ANY = { 0: "0.0.0.0", 4: "0.0.0.0", 6: "::" } as const;
export const LOOPBACK = { 0: "127.0.0.1", 4: "127.0.0.1", 6: "::1" } as const;

/**
 * The address of a literal or a name, IPv4 where either will do; `localhost` is loopback (RFC 6761 §6.3). Rejects with the code
 * of the name service, such as ENOTFOUND, or EAFNOSUPPORT for a literal of the other family.
 */
export async function resolveHost(host: string, family: Family, runtime: Runtime): Promise<string> {
  const literal = canonicalIp(host);
  if (literal !== undefined) {
    if (family === 0 || ipFamily(literal) === family) return literal;
    throw systemError("EAFNOSUPPORT", "connect", literal);
  }
  if (host.toLowerCase() === "localhost") return LOOPBACK[family];
  if (!runtime.lookup) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no names are known here" });
  const addresses = await runtime.lookup(host);
  const chosen = [family || 4, family || 6].map((wanted) =>
    addresses.find((each) => ipFamily(each) === wanted),
  );
  const address = canonicalIp(chosen[0] ?? chosen[1] ?? "");
  if (address === undefined) throw systemError("ENOTFOUND", "getaddrinfo", host);
  return address;
}
