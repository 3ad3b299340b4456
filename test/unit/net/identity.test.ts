import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { createIdentity, fingerprint, type Identity, loadIdentity, parseIdentity, saveIdentity } from "1tp";

const folder = mkdtempSync(join(tmpdir(), "1tp-identity-"));
after(() => rmSync(folder, { recursive: true }));

test("identities differ, and their text form brings them back", () => {
  const [one, other] = [createIdentity(), createIdentity()];
  assert.notEqual(one.publicKey, other.publicKey);
  assert.match(one.publicKey, /^[\w-]{43}$/);
  assert.equal(parseIdentity(one.exportSecret()).publicKey, one.publicKey);
  assert.equal(parseIdentity(` ${one.exportSecret()}\r\n`).publicKey, one.publicKey);
});

test("neither JSON nor inspect shows the secret", () => {
  const identity = createIdentity();
  const secret = identity.exportSecret().slice(-20);
  assert.deepEqual(JSON.parse(JSON.stringify(identity)), { publicKey: identity.publicKey });
  assert.equal(inspect(identity, { depth: 9, showHidden: true }).includes(secret), false);
});

test("what is no identity is ERR_1TP_BAD_IDENTITY, a public key among it", () => {
  for (const wrong of ["", "secret", createIdentity().publicKey, createIdentity().exportSecret().slice(1)]) {
    assert.throws(() => parseIdentity(wrong), { code: "ERR_1TP_BAD_IDENTITY" });
  }
  assert.throws(() => parseIdentity(5 as unknown as string), { code: "ERR_INVALID_ARG_TYPE" });
});

test("a missing file is made with mode 0600, and the next load gives the same identity", () => {
  const path = join(folder, "fresh");
  const identity = loadIdentity(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, "utf8"), `${identity.exportSecret()}\n`);
  assert.equal(loadIdentity(path).publicKey, identity.publicKey);
});

test("processes that start at once share one identity", async () => {
  const path = join(folder, "shared");
  const flags = ["--conditions=1tp-source", "--import", "tsx", "--input-type=module"];
  const program = `import { loadIdentity } from "1tp"; console.log(loadIdentity(${JSON.stringify(path)}).publicKey)`;
  const keys = Array.from({ length: 4 }, async () => {
    const child = spawn(process.execPath, [...flags, "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output = text(child.stdout);
    assert.deepEqual(await once(child, "exit"), [0, null]);
    return output;
  });
  assert.equal(new Set(await Promise.all(keys)).size, 1);
  assert.equal(`${loadIdentity(path).publicKey}\n`, await keys[0]);
});

test("a file that others can read is EACCES", () => {
  const path = join(folder, "open");
  loadIdentity(path);
  chmodSync(path, 0o644);
  assert.throws(() => loadIdentity(path), { code: "EACCES", message: /chmod 600/ });
});

test("a file that holds something else is ERR_1TP_BAD_IDENTITY and stays as it is", () => {
  const path = join(folder, "other");
  writeFileSync(path, "", { mode: 0o600 });
  assert.throws(() => loadIdentity(path), { code: "ERR_1TP_BAD_IDENTITY", message: /other/ });
  assert.equal(readFileSync(path, "utf8"), "");
});

test("saving never replaces a file", () => {
  const path = join(folder, "saved");
  const identity = createIdentity();
  saveIdentity(identity, path);
  assert.throws(() => saveIdentity(createIdentity(), path), { code: "EEXIST" });
  assert.equal(loadIdentity(path).publicKey, identity.publicKey);
});

test("a fingerprint is six groups of four letters of the public key alone", () => {
  const { publicKey } = createIdentity();
  assert.match(fingerprint(publicKey), /^([a-z2-7]{4}-){5}[a-z2-7]{4}$/);
  assert.equal(fingerprint(publicKey), fingerprint(publicKey));
  assert.notEqual(fingerprint(publicKey), fingerprint(createIdentity().publicKey));
  assert.equal(fingerprint("A".repeat(43)), "mzuh-vlpy-mk6x-o3ep-ygfy-5h4o");
});

test("wrong arguments are refused at once", () => {
  assert.throws(() => loadIdentity(undefined as unknown as string), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => saveIdentity({ publicKey: "x" } as Identity, join(folder, "x")), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  assert.throws(() => fingerprint(null as unknown as string), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => fingerprint("short"), { code: "ERR_INVALID_ARG_VALUE" });
});
