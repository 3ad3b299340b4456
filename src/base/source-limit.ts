import type { Instant, Millis } from "../contract/clock.ts";
import { toHex } from "./bytes.ts";
import { ExpiringMap } from "./expiring-map.ts";
import { parseIp } from "./ip.ts";
import { TokenBucket } from "./token-bucket.ts";

/** How often something may happen. */
export interface SourceLimitOptions {
  /** A second, for one IPv4 address or one IPv6 network of 64 bits, which is what one customer has. */
  readonly perSource: number;
  /** A second, for all together. */
  readonly total: number;
  /** Sources that are remembered; the longest idle is forgotten first. */
  readonly sources: number;
}

/** A bucket is full again after a second, and may be forgotten. */
const MEMORY: Millis = 1000;

/** Lets each source, and all of them together, do something so often. Bounded, whatever addresses are forged. */
export class SourceLimit {
  readonly #perSource: number;
  readonly #all: TokenBucket;
  readonly #buckets: ExpiringMap<TokenBucket>;

  constructor({ perSource, total, sources }: SourceLimitOptions) {
    this.#perSource = perSource;
    this.#all = new TokenBucket(total);
    this.#buckets = new ExpiringMap(MEMORY, sources);
  }

  /** Counts one; false if it is one too many. */
  take(address: string, now: Instant): boolean {
    const source = sourceOf(address);
    const bucket = this.#buckets.get(source, now) ?? new TokenBucket(this.#perSource);
    this.#buckets.set(source, bucket, now);
    return bucket.take(now) && this.#all.take(now);
  }
}

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, which one customer has. */
export function sourceOf(address: string): string {
  const bytes = address.includes(":") ? parseIp(address)?.bytes : undefined;
  return bytes?.length === 16 ? toHex(bytes.subarray(0, 8)) : address;
}
