import { typeError } from "../base/argument.ts";
import type { Transport } from "../contract/transport.ts";

/** What `sortArguments` makes of a call. */
export interface SortedArguments<Options, Listener> {
  /** Undefined: what the runtime has. Whether they are transports is not checked. */
  readonly transports: readonly Transport[] | undefined;
  readonly options: Options;
  readonly listener: Listener | undefined;
}

/**
 * `[transports], [options], [listener]`, each of which may be left out, as their types tell.
 * @throws ERR_INVALID_ARG_TYPE for anything else.
 */
export function sortArguments<Options extends object, Listener>(
  given: readonly unknown[],
): SortedArguments<Options, Listener> {
  let from = 0;
  let until = given.length;
  while (until > 0 && given[until - 1] === undefined) until--;
  const listener = typeof given[until - 1] === "function" ? (given[--until] as Listener) : undefined;
  const transports = Array.isArray(given[0]) ? (given[from++] as readonly Transport[]) : undefined;
  if (until > 0 && (given[0] === undefined || given[0] === null)) from = 1;
  const options = from < until ? (given[from] ?? {}) : {};
  if (typeof options !== "object" || given[from] === null)
    throw typeError("options", "an object", given[from]);
  if ("dial" in options) throw typeError("transports", "an array of transports", options);
  if (until > from + 1) throw typeError("listener", "of type function", given[until - 1]);
  return { transports, options: options as Options, listener };
}
