import type { Runtime } from "../contract/runtime.ts";

/** Dials that begin before answers are looked at (chosen: each brings about four datagrams, and libuv reads 32 of a socket at a time). */
const PER_TURN = 8;

/** Begins a dial; false: it was given up meanwhile. */
type Begin = () => boolean;

/**
 * Lets dials begin in turns. Were thousands to begin at once, the answer to the first would wait for the keys of the last, and the
 * time of all would be up before any is done.
 */
export class Turnstile {
  readonly #runtime: Runtime;
  #begun = 0;
  readonly #waiting: Begin[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Calls `begin` now or, after those that came before, in a later turn of the event loop. */
  pass(begin: Begin): void {
    if (this.#begun === PER_TURN) this.#waiting.push(begin);
    else this.#let(begin);
  }

  #let(begin: Begin): void {
    if (!begin()) return;
    this.#begun += 1;
    if (this.#begun === PER_TURN) this.#nextTurn();
  }

  #nextTurn(): void {
    const { afterInput, clock } = this.#runtime;
    if (afterInput) afterInput(this.#onTurn);
    else clock.setTimer(clock.now(), this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#begun = 0;
    let through = 0;
    while (through < this.#waiting.length && this.#begun < PER_TURN) this.#let(this.#waiting[through++]!);
    this.#waiting.splice(0, through);
  };
}
