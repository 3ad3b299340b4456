import { goesInSteps, isHard, type NatBehaviour } from "../behaviour.ts";
import type { Target } from "../target.ts";
import type { PunchTrick, TrickContext, TrickRun } from "../trick.ts";

/** Ports that are guessed (24 were enough in a kernel lab; another connection of that home may take some first). */
const GUESSES = 24;

/**
 * Port prediction, for a NAT that gives every remote endpoint another port, but not any port. Where ports go up in steps, the *other*
 * side opens its NATs towards the next ones. Where a port of our own is kept if it is free, we take a fresh socket that has
 * talked to nobody, and tell the other side that its port will be seen.
 */
export const prediction: PunchTrick = {
  name: "prediction",
  // It costs little and stands in nobody's way.
  patience: 0,
  rate: (local, remote) => (goesInSteps(remote) || keepsFreshPorts(local) ? 1 : 0),
  start: (context) => {
    const runs: TrickRun[] = [];
    if (goesInSteps(context.remote)) runs.push(guess(context));
    if (keepsFreshPorts(context.local)) runs.push(offerFreshPort(context));
    return { onNews: (now) => runs.forEach((run) => void run.onNews(now)) };
  },
};

function keepsFreshPorts(nat: NatBehaviour): boolean {
  return isHard(nat) === true && nat.ports === "preserving";
}

/** Opens our NATs for the ports that the peer's will take next, once for each place it was last seen at. */
function guess(context: TrickContext): TrickRun {
  let last: Target | undefined;
  return {
    onNews(now) {
      const seen = context.targets.findLast(({ kind }) => kind === "reflexive");
      const step = context.remote.ports;
      if (!seen || seen === last || typeof step !== "number") return;
      last = seen;
      const { address, port } = seen.remote;
      for (let i = 1; i <= GUESSES; i++) {
        const next = port + i * step;
        if (next > 0 && next < 65_536) context.open({ address, port: next }, seen.via, now);
      }
      context.sayReady();
    },
  };
}

/** Sends from a port nobody has seen, which the NAT will keep, after the peer has opened its own for it. */
function offerFreshPort(context: TrickContext): TrickRun {
  context.wantSockets(1);
  let offered = false;
  return {
    onNews(now) {
      const [socket] = context.extraSockets;
      const seen = context.candidates.findLast(({ kind }) => kind === "reflexive");
      if (!socket || !seen) return;
      if (!offered) context.offer({ kind: "predicted", address: seen.address, port: socket.port });
      offered = true;
      if (!context.peerOpened) return;
      for (const target of context.targets) if (target.outside) context.pursue(target, now, socket.via);
    },
  };
}
