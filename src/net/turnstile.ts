import type { Runtime } from "../contract/runtime.ts";

/** Dials that begin before answers are looked at (chosen: each brings about four datagrams, and libuv reads 32 of a socket at a time). */
const PER_TURN = 8;

/**
 * Lets dials begin in turns. Were thousands to begin at once, the answer to the first would wait for the keys of the last, and the
 * time of all would be up before any is done.
 */
export class Turnstile {
  readonly #runtime: Runtime;
  #passed = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Runs `begin` now or, behind those that came before, in a later turn of the event loop. */
  pass(begin: () => void): void {
    if (this.#passed === PER_TURN) {
      this.#waiting.push(begin);
      return;
    }
    this.#passed += 1;
    if (this.#passed === PER_TURN) this.#nextTurn();
    begin();
  }

  #nextTurn(): void {
    const { afterInput, clock } = this.#runtime;
    if (afterInput) afterInput(this.#onTurn);
    else clock.setTimer(clock.now(), this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#passed = 0;
    for (const begin of this.#waiting.splice(0, PER_TURN)) this.pass(begin);
  };
}
