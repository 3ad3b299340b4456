import { systemError } from "../../src/base/errors.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Outcome } from "../kit/scripted-transport.ts";

/** Opens a channel after so many ms. */
export function open(after: Millis): Outcome {
  return { does: "open", after };
}

/** Fails with ECONNREFUSED after so many ms. */
export function refuse(after: Millis): Outcome {
  return { does: "fail", after, error: systemError("ECONNREFUSED", "connect") };
}

/** Never answers. */
export const hang: Outcome = { does: "hang" };
