import type { Instant, Millis } from "../contract/clock.ts";

/** Values that are forgotten after a time, the oldest first when there are too many. */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly until: Instant }>();
  readonly #lifetime: Millis;
  readonly #limit: number;

  constructor(lifetime: Millis, limit: number) {
    this.#lifetime = lifetime;
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: Instant): Value | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > now ? entry.value : undefined;
  }

  set(key: string, value: Value, now: Instant): void {
    this.#entries.delete(key);
    for (const [oldest, { until }] of this.#entries) {
      if (until > now && this.#entries.size < this.#limit) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, until: now + this.#lifetime });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
