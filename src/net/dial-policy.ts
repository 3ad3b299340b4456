import { typeError, valueError } from "../base/argument.ts";
import { OnetpError } from "../base/errors.ts";
import { type IpScope, ipFamily, ipScope } from "../base/ip.ts";
import type { Endpoint, JsonObject } from "../contract/endpoint.ts";
import type { Runtime } from "../contract/runtime.ts";

/**
 * Which addresses of a stranger's connectionInfo may be dialled, by how far they reach, and which of those a peer names in a
 * dialog. `deny` wins; without `allow` everything else is allowed. It holds for the hosts of URLs as well: `localhost` is loopback,
 * and other names are looked up before they are dialled. Whoever owns a name may answer the next look-up otherwise: a
 * policy is no firewall against names. Entries that name no address (memory, most signaled ones) pass.
 */
export interface DialPolicy {
  /** Nothing but these. Default: everything. */
  readonly allow?: readonly IpScope[];
  /** None of these. Default: none. */
  readonly deny?: readonly IpScope[];
}

const SCOPES: readonly string[] = [
  "unspecified",
  "loopback",
  "link-local",
  "private",
  "public",
  "multicast",
  "reserved",
] satisfies readonly IpScope[];

/** @throws ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE if it is no policy. */
export function checkDialPolicy(policy: unknown): asserts policy is DialPolicy | undefined {
  if (policy === undefined) return;
  if (typeof policy !== "object" || policy === null)
    throw typeError("options.dialPolicy", "an object", policy);
  for (const [name, scopes] of Object.entries(policy)) {
    if (name !== "allow" && name !== "deny") {
      throw valueError("options.dialPolicy", "may only have 'allow' and 'deny'", name);
    }
    if (scopes !== undefined) checkScopes(`options.dialPolicy.${name}`, scopes);
  }
}

function checkScopes(name: string, scopes: unknown): void {
  if (!Array.isArray(scopes)) throw typeError(name, "an array of scopes", scopes);
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) throw valueError(name, `may only have ${SCOPES.join(", ")}`, scope);
  }
}

/** Whether the policy lets this endpoint be dialled. Names are not looked up. */
export function mayDial(endpoint: Endpoint, policy: DialPolicy | undefined): boolean {
  if (!policy) return true;
  const { transportInfo } = endpoint;
  const { address } = transportInfo;
  const hosts = [urlHost(transportInfo), typeof address === "string" ? address.toLowerCase() : undefined];
  return hosts.every((host) => host === undefined || isAllowed(literalScope(host), policy));
}

/**
 * The policy as a question about hosts that a peer names in a dialog; absent where any may be sent to. A name of the own link
 * (RFC 6762 §3) is as good as a private and a link-local address; no other name is allowed, as nobody here looks it up.
 */
export function peerHostRule(policy: DialPolicy | undefined): ((host: string) => boolean) | undefined {
  if (!policy) return undefined;
  return (host) => {
    const name = host.toLowerCase();
    const scope = literalScope(name);
    const scopes: IpScope[] = scope ? [scope] : name.endsWith(".local") ? ["private", "link-local"] : [];
    return scopes.length > 0 && scopes.every((one) => isAllowed(one, policy));
  };
}

/**
 * Whether the policy lets the URL of a signaling address be dialled, its name looked up if there is a `lookup`. Rejects with
 * ERR_1TP_BAD_ADDRESS if it does not, and with the code of the look-up.
 */
export async function checkReach(
  address: JsonObject,
  policy: DialPolicy,
  lookup: Runtime["lookup"],
): Promise<void> {
  const host = urlHost(address);
  if (host === undefined) return;
  const known = literalScope(host);
  const scopes = known ? [known] : ((await lookup?.(host)) ?? []).map(ipScope);
  if (scopes.every((scope) => isAllowed(scope, policy))) return;
  const detail = `the dial policy forbids ${host}`;
  throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail, phase: "signal" });
}

function isAllowed(scope: IpScope | undefined, policy: DialPolicy): boolean {
  if (scope === undefined) return true;
  if (policy.deny?.includes(scope)) return false;
  return policy.allow === undefined || policy.allow.includes(scope);
}

/** The host of a `url` field, as URLs of the web write it: IPv4 addresses in one form, IPv6 without brackets. */
function urlHost({ url }: JsonObject): string | undefined {
  try {
    const { hostname } = new URL(String(url));
    return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "") || undefined;
  } catch {
    return undefined;
  }
}

/** Names of this host count (RFC 6761 §6.3); other names say nothing. */
function literalScope(host: string): IpScope | undefined {
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  return ipFamily(host) === 0 ? undefined : ipScope(host);
}
