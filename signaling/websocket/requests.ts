import { systemError } from "../../src/base/errors.ts";
import type { Clock, Instant, Timer } from "../../src/contract/clock.ts";

interface Request<Answer> {
  readonly timer: Timer;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Questions by number, each answered once or given up in time. */
export class Requests<Answer> {
  readonly #clock: Clock;
  readonly #requests = new Map<number, Request<Answer>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#requests.size;
  }

  /** Resolves with the answer; rejects with ETIMEDOUT at `until`, the error of `fail`, or the reason of `signal`. */
  ask(id: number, until: Instant, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.fail(id, signal?.reason);
      const end = (): void => {
        timer.cancel();
        this.#requests.delete(id);
        signal?.removeEventListener("abort", onAbort);
      };
      const timer = this.#clock.setTimer(until, () => this.fail(id, systemError("ETIMEDOUT", "signal")));
      signal?.addEventListener("abort", onAbort);
      this.#requests.set(id, {
        timer,
        resolve(answer) {
          end();
          resolve(answer);
        },
        reject(error) {
          end();
          reject(error);
        },
      });
    });
  }

  /** Answers to questions nobody asks any more do nothing. */
  answer(id: number, answer: Answer): void {
    this.#requests.get(id)?.resolve(answer);
  }

  fail(id: number, error: unknown): void {
    this.#requests.get(id)?.reject(error);
  }

  answerAll(answer: Answer): void {
    for (const request of [...this.#requests.values()]) request.resolve(answer);
  }

  failAll(error: Error): void {
    for (const request of [...this.#requests.values()]) request.reject(error);
  }
}
