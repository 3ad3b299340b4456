// A page has no handles to count.

/** Runs the body. */
export async function assertNothingLeft(body: () => unknown): Promise<void> {
  await body();
}
