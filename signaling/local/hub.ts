import type { LocalDialog } from "./dialog.ts";

/** Somebody who can be reached. */
export interface LocalEntry {
  readonly transportType: string;
  onDialog(dialog: LocalDialog): void;
  /** A newer registration took the uid. */
  onReplaced(): void;
}

/** Uids inside the process and who is registered under them. */
export class LocalHub {
  readonly #entries = new Map<string, LocalEntry>();

  /** Takes the place of an older entry. */
  register(uid: string, entry: LocalEntry): void {
    const older = this.#entries.get(uid);
    this.#entries.set(uid, entry);
    older?.onReplaced();
  }

  /** Does nothing if a newer entry has taken the uid. */
  release(uid: string, entry: LocalEntry): void {
    if (this.#entries.get(uid) === entry) this.#entries.delete(uid);
  }

  find(uid: string, transportType: string): LocalEntry | undefined {
    const entry = this.#entries.get(uid);
    return entry?.transportType === transportType ? entry : undefined;
  }
}

/** What all local signalings of a process share unless told otherwise. */
export const processHub = new LocalHub();
