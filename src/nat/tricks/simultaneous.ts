import type { PunchTrick } from "../trick.ts";

/**
 * Simultaneous: check every address the peer has told, as soon as it is known, again and again. Each side's checks open its own
 * NATs for the other's. It needs nobody's word, so it helps where signals were lost or low TTLs do not get out.
 */
export const simultaneous: PunchTrick = {
  name: "simultaneous",
  // Chosen: one repetition of its schedule; what joins in then does not stop it.
  patience: 150,
  rate: () => 0.8,
  start: (context) => ({
    onNews(now) {
      for (const target of context.targets) context.pursue(target, now);
    },
  }),
};
