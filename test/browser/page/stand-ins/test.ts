// What tests use of `node:test`: they are collected when their file is loaded, and run when the page is told to.

/** What a test is given. */
export interface TestContext {
  test(name: string, body: TestBody): Promise<void>;
  after(task: () => unknown): void;
  diagnostic(message: string): void;
}

/** How one test ended: the reason if it failed. */
export interface Outcome {
  readonly name: string;
  readonly failure?: string;
}

type TestBody = (context: TestContext) => unknown;

interface Collected {
  readonly name: string;
  readonly timeout: number;
  readonly body: TestBody;
}

/** Ms a test may take that says nothing else (chosen: many times what the slowest takes). */
const TIMEOUT = 60_000;

const collected: Collected[] = [];
const path: string[] = [];

/** Collects what is in it under its name. */
export function describe(name: string, body: () => void): void {
  path.push(name);
  body();
  path.pop();
}

/** Collects a test. */
export function test(name: string, ...rest: [TestBody] | [{ timeout?: number }, TestBody]): void {
  const body = rest.at(-1) as TestBody;
  const timeout = (rest.length === 2 && rest[0].timeout) || TIMEOUT;
  collected.push({ name: [...path, name].join(" > "), timeout, body });
}

export { test as it };

/** Runs every test that was collected, one after the other. */
export async function runAll(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of collected.splice(0)) await run(one, outcomes);
  return outcomes;
}

async function run({ name, timeout, body }: Collected, outcomes: Outcome[]): Promise<void> {
  const cleanUps: (() => unknown)[] = [];
  const context: TestContext = {
    test: (inner, innerBody) => run({ name: `${name} > ${inner}`, timeout, body: innerBody }, outcomes),
    after: (task) => void cleanUps.push(task),
    diagnostic: (message) => console.log(message),
  };
  try {
    await within(timeout, body(context));
    outcomes.push({ name });
  } catch (error) {
    outcomes.push({
      name,
      failure: error instanceof Error ? `${error.message}\n${error.stack}` : `${error}`,
    });
  } finally {
    for (const task of cleanUps) await task();
  }
}

async function within(timeout: number, work: unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`takes longer than ${timeout} ms`)), timeout);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
