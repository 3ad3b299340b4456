import { checkOptional, typeError, valueError } from "../base/argument.ts";
import type { PlanningOptions } from "../base/planning.ts";
import { checkSignaling } from "../base/signaled.ts";
import type { Signaling } from "../contract/dialog.ts";
import type { ReachOf } from "../nat/reach.ts";
import { parseStunUri } from "../stun/uri.ts";

/** Options of the transports that punch. */
export interface PunchingOptions extends PlanningOptions {
  /** How the two sides meet. */
  readonly signaling: Signaling;
  /** `stun:` URIs of servers that tell where they see us; default: those the signaling names. */
  readonly stunServers?: readonly string[];
  /** Which addresses count as public, private or forbidden; default by the registries of IANA. For test networks. */
  readonly reach?: ReachOf;
}

/** @throws ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE for what is wrong, planning aside. */
export function checkPunchingOptions(options: PunchingOptions): void {
  if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
  const { signaling, stunServers, reach } = options;
  checkSignaling(signaling);
  if (stunServers !== undefined && !isTexts(stunServers)) {
    throw typeError("options.stunServers", "an array of stun: URIs", stunServers);
  }
  const odd = stunServers?.find((uri) => parseStunUri(uri)?.scheme !== "stun");
  if (odd !== undefined) throw valueError("options.stunServers", "must hold stun: URIs", odd);
  checkOptional("options.reach", reach, "function");
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}
