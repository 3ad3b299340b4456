import type { Instant } from "../contract/clock.ts";
import type { NatBehaviour } from "./behaviour.ts";
import type { PunchTrick } from "./trick.ts";
import { birthday } from "./tricks/birthday.ts";
import { lowTtl } from "./tricks/low-ttl.ts";
import { prediction } from "./tricks/prediction.ts";
import { simultaneous } from "./tricks/simultaneous.ts";

/** Every trick there is. */
export const TRICKS: readonly PunchTrick[] = [lowTtl, simultaneous, prediction, birthday];

/** The tricks that make sense for such a pair, best first. */
export function ranking(
  tricks: readonly PunchTrick[],
  local: NatBehaviour,
  remote: NatBehaviour,
): readonly { readonly trick: PunchTrick; readonly rating: number }[] {
  return tricks
    .map((trick) => ({ trick, rating: trick.rate(local, remote) }))
    .filter(({ rating }) => rating > 0)
    .sort((a, b) => b.rating - a.rating);
}

/** Which trick joins in when: the best that has not begun, after the patience of the one before unless it is better than that. */
export class Planner {
  #waiting: readonly PunchTrick[];
  #last = { rating: 0, until: Number.NEGATIVE_INFINITY };

  constructor(tricks: readonly PunchTrick[]) {
    this.#waiting = tricks;
  }

  /** Takes the trick that is to begin now; call until undefined. */
  take(local: NatBehaviour, remote: NatBehaviour, now: Instant): PunchTrick | undefined {
    const [best] = ranking(this.#waiting, local, remote);
    if (!best || this.#startOf(best.rating) > now) return undefined;
    this.#waiting = this.#waiting.filter((trick) => trick !== best.trick);
    this.#last = { rating: best.rating, until: Math.max(this.#last.until, now + best.trick.patience) };
    return best.trick;
  }

  /** When to call `take` again; undefined if no trick that is left makes sense. */
  next(local: NatBehaviour, remote: NatBehaviour): Instant | undefined {
    const [best] = ranking(this.#waiting, local, remote);
    return best && this.#startOf(best.rating);
  }

  #startOf(rating: number): Instant {
    return rating > this.#last.rating ? Number.NEGATIVE_INFINITY : this.#last.until;
  }
}
