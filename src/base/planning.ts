import type { Millis } from "../contract/clock.ts";
import { checkMillis, checkOptional, rangeError } from "./argument.ts";

/** What the constructor of every transport takes besides its own options. */
export interface PlanningOptions {
  /** Lower is tried first; the defaults are in `transports/README.md`. */
  readonly cost?: number;
  /** The longest one attempt may take, session handshake included. */
  readonly connectTimeout?: Millis;
}

/** The options given, else the transport's own values. Throws on wrong ones. */
export function planning(
  options: PlanningOptions,
  own: Required<PlanningOptions>,
): Required<PlanningOptions> {
  checkOptional("options", options, "object");
  const { cost = own.cost, connectTimeout = own.connectTimeout } = options;
  checkOptional("options.cost", cost, "number");
  if (!Number.isFinite(cost)) throw rangeError("options.cost", "finite", cost);
  checkMillis("options.connectTimeout", connectTimeout);
  return { cost, connectTimeout };
}
