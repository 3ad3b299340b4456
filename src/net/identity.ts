import { crypto, privateFiles, runtime } from "#platform";
import { typeError, valueError } from "../base/argument.ts";
import { codeOf, OnetpError } from "../base/errors.ts";
import type { Identity } from "../session/identity.ts";
import * as session from "../session/identity.ts";

/** A fresh identity, for the option `identity`. It is gone with the process unless it is saved. */
export function createIdentity(): Identity {
  return session.createIdentity(crypto, runtime.random);
}

/**
 * Reads the line of text that `identity.exportSecret()` gave.
 * @throws OnetpError `ERR_1TP_BAD_IDENTITY` for anything else.
 */
export function parseIdentity(text: string): Identity {
  if (typeof text !== "string") throw typeError("text", "of type string", text);
  const identity = session.parseIdentity(crypto, text);
  if (!identity) throw new OnetpError("ERR_1TP_BAD_IDENTITY");
  return identity;
}

/**
 * The identity in the file at `path`. If there is no such file, a fresh one is made and saved, so that a
 * server has the same key after every start.
 * @throws EACCES if others than the file's owner may read it, `ERR_1TP_BAD_IDENTITY` if it holds no identity.
 */
export function loadIdentity(path: string): Identity {
  const saved = readIdentity(path);
  if (saved) return saved;
  try {
    const identity = createIdentity();
    saveIdentity(identity, path);
    return identity;
  } catch (error) {
    // Another process made the file in between: its identity counts.
    const other = codeOf(error) === "EEXIST" ? readIdentity(path) : undefined;
    if (other) return other;
    throw error;
  }
}

function readIdentity(path: string): Identity | undefined {
  const text = files(path).read(path);
  if (text === undefined) return undefined;
  const identity = session.parseIdentity(crypto, text);
  if (!identity) throw new OnetpError("ERR_1TP_BAD_IDENTITY", { detail: path });
  return identity;
}

/**
 * Saves an identity to a new file that only its owner may read (mode 0600).
 * @throws EEXIST if there is a file already: a key that is overwritten is lost for good.
 */
export function saveIdentity(identity: Identity, path: string): void {
  if (!(identity instanceof session.Identity)) throw typeError("identity", "an Identity", identity);
  files(path).create(path, `${identity.exportSecret()}\n`);
}

function files(path: string): NonNullable<typeof privateFiles> {
  if (typeof path !== "string") throw typeError("path", "of type string", path);
  if (!privateFiles) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no files here" });
  return privateFiles;
}

/**
 * A public key as people compare it, such as `k3fq-…`: the first 120 bits of its SHA-256 in base 32.
 * @throws ERR_INVALID_ARG_VALUE if it is no key as in a connectionInfo entry.
 */
export function fingerprint(publicKey: string): string {
  if (typeof publicKey !== "string") throw typeError("publicKey", "of type string", publicKey);
  if (!session.parseKey(publicKey)) throw valueError("publicKey", "must be a public key", publicKey);
  return session.fingerprint(crypto, publicKey);
}
