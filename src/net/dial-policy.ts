import { typeError, valueError } from "../base/argument.ts";
import { endpointScope } from "../base/endpoint.ts";
import type { IpScope } from "../base/ip.ts";
import type { Endpoint } from "../contract/endpoint.ts";

/**
 * Which addresses of a stranger's connectionInfo may be dialled, by how far they reach. `deny` wins;
 * without `allow` everything else is allowed. Entries that name no address (memory, signaled) pass.
 */
export interface DialPolicy {
  readonly allow?: readonly IpScope[];
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

/** Whether the policy lets this endpoint be dialled. */
export function mayDial(endpoint: Endpoint, policy: DialPolicy | undefined): boolean {
  const scope = policy && endpointScope(endpoint);
  if (!policy || scope === undefined) return true;
  if (policy.deny?.includes(scope)) return false;
  return policy.allow === undefined || policy.allow.includes(scope);
}
