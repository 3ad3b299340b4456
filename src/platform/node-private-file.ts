import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { nodeError } from "../base/errors.ts";

/** Whoever may read the file is its owner alone. */
const OWNER_ONLY = 0o600;

/**
 * The text of a secret file; undefined if there is none. Throws the system's error if it cannot be read,
 * and EACCES if others than its owner may read it.
 */
export function readPrivateFile(path: string): string | undefined {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return undefined;
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8);
    throw nodeError("EACCES", `${path} has mode ${shown}: others may read the secret in it (chmod 600)`);
  }
  return readFileSync(path, "utf8");
}

/** Writes a secret to a new file, whole or not at all. Throws EEXIST if there is a file already. */
export function createPrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`;
  const file = openSync(draft, "wx", OWNER_ONLY);
  try {
    writeSync(file, text);
    fsyncSync(file);
    closeSync(file);
    linkSync(draft, path);
  } finally {
    unlinkSync(draft);
  }
}
