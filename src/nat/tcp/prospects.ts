import type { Millis } from "../../contract/clock.ts";
import { goesInSteps, isHard, isUnforeseeable, type NatBehaviour } from "../behaviour.ts";
import { NEAR_PATIENCE, PATIENCE, Target } from "./target.ts";

/** Ports that are guessed (chosen: a peer's own connections take a few, and so do others at its home). */
const GUESSES = 24;

/** What may come of connecting to each other, by what is known of both sides' NATs. */
export class Prospects {
  readonly #local: NatBehaviour;
  readonly #remote: NatBehaviour;

  constructor(local: NatBehaviour, remote: NatBehaviour) {
    this.#local = local;
    this.#remote = remote;
  }

  /** Whether NATs are known to stand in the way of most peers. */
  get arePoor(): boolean {
    const [local, remote] = [this.#local, this.#remote];
    return (
      isUnforeseeable(local) || isUnforeseeable(remote) || (isHard(local) === true && isHard(remote) === true)
    );
  }

  /**
   * Whether to connect there: from ports that both sides have told, or guess. Towards a peer whose port nobody knows it opens our NAT
   * for its IP, and such a one comes to the port of ours that it knows.
   */
  allow({ mutual, outside, kind }: Target): boolean {
    if (!mutual || !outside) return true;
    if (isHard(this.#local)) return !isHard(this.#remote);
    return !goesInSteps(this.#remote) || kind === "predicted";
  }

  /** Whether the peer may come from where nobody knows, to the port that it knows. */
  get mustAwait(): boolean {
    return isUnforeseeable(this.#remote) && !isHard(this.#local);
  }

  /** How long something may come of it: whom a port awaits comes at once, or a NAT does not let him. */
  patienceFor({ mutual, outside, patience }: Target): Millis {
    const awaited = isUnforeseeable(this.#local) || isUnforeseeable(this.#remote);
    return mutual && outside && awaited ? NEAR_PATIENCE : patience;
  }

  /** Where a peer may come from next whose NAT gives ports in steps, and who was last seen there. */
  guessesAfter({ address, port }: Target["remote"]): readonly Target[] {
    if (isHard(this.#local) || !goesInSteps(this.#remote)) return [];
    const ports = Array.from({ length: GUESSES }, (_, i) => port + (i + 1) * Number(this.#remote.ports));
    return ports
      .filter((next) => next > 0 && next < 65_536)
      .map((next) => new Target({ address, port: next }, "predicted", PATIENCE, true));
  }
}
