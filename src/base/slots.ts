import { sourceOf } from "./source-limit.ts";

/** Places that are taken for a while: so many in all, and a part of them for one source, so that no stranger takes them all. */
export class Slots {
  readonly #total: number;
  readonly #perSource: number;
  readonly #taken = new Map<string, number>();
  #size = 0;

  constructor(total: number, perSource: number) {
    this.#total = total;
    this.#perSource = perSource;
  }

  /**
   * Takes one for whoever is seen at `address`, an IPv4 address or a network of IPv6; where that is unknown only the
   * total counts. Returns what gives it back, and undefined if there is none.
   */
  take(address: string | undefined): (() => void) | undefined {
    const source = address === undefined ? undefined : sourceOf(address);
    const taken = source === undefined ? 0 : (this.#taken.get(source) ?? 0);
    if (this.#size >= this.#total || taken >= this.#perSource) return undefined;
    this.#size++;
    if (source !== undefined) this.#taken.set(source, taken + 1);
    let held = true;
    return () => {
      if (held) this.#release(source);
      held = false;
    };
  }

  #release(source: string | undefined): void {
    this.#size--;
    if (source === undefined) return;
    const left = this.#taken.get(source)! - 1;
    if (left > 0) this.#taken.set(source, left);
    else this.#taken.delete(source);
  }
}
