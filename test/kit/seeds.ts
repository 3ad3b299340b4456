import { Trace } from "./trace.ts";

/**
 * The seeds a random test runs: `SEED` from the environment alone, or as many as `SEEDS` says, or
 * `count`; always from 1 upwards, so that every machine runs the same.
 */
export function seeds(count: number, environment: NodeJS.ProcessEnv = process.env): readonly number[] {
  const only = wholeNumber("SEED", environment.SEED);
  if (only !== undefined) return [only];
  const length = wholeNumber("SEEDS", environment.SEEDS) ?? count;
  if (length === 0) throw new RangeError("SEEDS must be at least 1");
  return Array.from({ length }, (_, index) => index + 1);
}

/**
 * Runs `body` for each of `seeds(count)`, one after the other. Whatever it throws is told with the seed
 * and with what is in the trace, which is fresh for each seed: hand it to the `Pair` or `Network`.
 */
export async function forEachSeed(
  count: number,
  body: (seed: number, trace: Trace) => unknown,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  for (const seed of seeds(count, environment)) {
    const trace = new Trace();
    try {
      const pending = body(seed, trace);
      if (pending instanceof Promise) await pending;
    } catch (error) {
      throw seedError(error, seed, trace);
    }
  }
}

function seedError(error: unknown, seed: number, trace: Trace): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const told = trace.added === 0 || reason.includes(`${trace}`);
  const story = told ? "" : `\n${trace}`;
  return new Error(`seed ${seed} fails (repeat with SEED=${seed}): ${reason}${story}`, { cause: error });
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name} must be a whole number, not "${text}"`);
}
