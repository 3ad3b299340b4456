import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import { createPrivateFile, readPrivateFile } from "../../../src/platform/node-private-file.ts";

describe("a private file", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-private-"));
  after(() => rmSync(folder, { recursive: true }));

  it("is its owner's alone and comes back as it was written", () => {
    const path = join(folder, "key");
    createPrivateFile(path, "a secret\n");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readPrivateFile(path), "a secret\n");
    assert.deepEqual(readdirSync(folder), ["key"]);
  });

  it("is undefined where there is none", () => {
    assert.equal(readPrivateFile(join(folder, "nothing")), undefined);
  });

  it("never replaces one that is there", () => {
    const path = join(folder, "key");
    assert.throws(
      () => createPrivateFile(path, "another"),
      (error) => codeOf(error) === "EEXIST",
    );
    assert.equal(readPrivateFile(path), "a secret\n");
    assert.deepEqual(readdirSync(folder), ["key"]);
  });

  it("is refused when others may read it", () => {
    const path = join(folder, "open");
    writeFileSync(path, "not so secret");
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode);
      assert.throws(
        () => readPrivateFile(path),
        (error) => codeOf(error) === "EACCES" && String(error).includes(mode.toString(8)),
      );
    }
    chmodSync(path, 0o400);
    assert.equal(readPrivateFile(path), "not so secret");
  });

  it("is not begun in a folder that does not exist", () => {
    const path = join(folder, "no", "key");
    assert.throws(
      () => createPrivateFile(path, "x"),
      (error) => codeOf(error) === "ENOENT",
    );
  });
});
