import type { Random } from "../contract/runtime.ts";
import type { Talk } from "./talk.ts";
import type { Targets } from "./target.ts";
import type { ExtraSocket, TrickContext } from "./trick.ts";

/** What a punch does for a trick. */
export interface TrickActions
  extends Pick<
    TrickContext,
    "isAttested" | "open" | "pursue" | "wantSockets" | "beginRun" | "probe" | "endRun" | "note"
  > {
  extraSockets(): readonly ExtraSocket[];
}

/** What the trick of that name sees, as it is whenever it looks, and what it can do. */
export function trickContext(
  random: Random,
  talk: Talk,
  targets: Targets,
  name: string,
  { extraSockets, ...actions }: TrickActions,
): TrickContext {
  return {
    ...actions,
    random,
    candidates: talk.candidates,
    targets: targets.told,
    get local() {
      return talk.local;
    },
    get remote() {
      return talk.remote;
    },
    get peerOpened() {
      return talk.peerOpened;
    },
    get peerReady() {
      return talk.isPeerReady(name);
    },
    get extraSockets() {
      return extraSockets();
    },
    offer: (candidate) => void talk.add(candidate),
    sayReady: () => talk.ready(name),
  };
}
