import { nextTurn } from "#platform";
import type { Directory, Place } from "../../src/contract/directory.ts";

/** The directory of the registrars of one process: of one registrar, usually. */
export class MemoryDirectory implements Directory {
  readonly #places = new Map<string, Place>();
  readonly #subscribers = new Map<string, (post: string) => void>();

  async claim(uid: string, place: Place): Promise<Place | undefined> {
    const before = this.#places.get(uid);
    this.#places.set(uid, place);
    return before;
  }

  async release(uid: string, { registrar, connection }: Place): Promise<void> {
    const place = this.#places.get(uid);
    if (place?.registrar === registrar && place.connection === connection) this.#places.delete(uid);
  }

  async locate(uid: string): Promise<Place | undefined> {
    return this.#places.get(uid);
  }

  async deliver(registrar: string, post: string): Promise<boolean> {
    const subscriber = this.#subscribers.get(registrar);
    if (!subscriber) return false;
    nextTurn(() => {
      if (this.#subscribers.get(registrar) === subscriber) subscriber(post);
    });
    return true;
  }

  async subscribe(registrar: string, onPost: (post: string) => void): Promise<() => Promise<void>> {
    this.#subscribers.set(registrar, onPost);
    return async () => {
      if (this.#subscribers.get(registrar) === onPost) this.#subscribers.delete(registrar);
    };
  }
}
