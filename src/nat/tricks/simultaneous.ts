import type { Instant, Millis } from "../../contract/clock.ts";
import type { PunchTrick } from "../trick.ts";

/** Chosen: what low TTL first takes across the world or on a busy machine, so that it is not spoiled. */
const HEAD_START: Millis = 1_000;

/**
 * Simultaneous: check every address the peer has told, again and again; each side's checks open its own NATs for the other's.
 * Addresses on a LAN and those of IPv6 are checked as soon as they are known; public IPv4 addresses a little later, in case the words of
 * low TTL first were lost, or low TTLs do not get out.
 */
export const simultaneous: PunchTrick = {
  name: "simultaneous",
  patience: 0,
  rate: () => 0.95,
  start: (context) => {
    let publicFrom: Instant | undefined;
    function pursue(now: Instant): void {
      publicFrom ??= now + HEAD_START;
      for (const target of context.targets) {
        if (!target.outside || now >= publicFrom) context.pursue(target, now);
      }
    }
    return {
      onNews: pursue,
      handleTimeout: pursue,
      pollTimeout: () => (context.targets.every(({ pursued }) => pursued) ? undefined : publicFrom),
    };
  },
};
