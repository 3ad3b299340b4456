import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { CODES } from "../../../src/base/errors.ts";
import { VERSION } from "../../../src/base/version.ts";

const readme = readFileSync("README.md", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

test("the README's table of codes is the table of the library", () => {
  const documented = [...readme.matchAll(/^\| `(ERR_1TP_\w+)` \|/gm)].map(([, code]) => code);
  assert.deepEqual(documented, Object.keys(CODES));
});

test("the version that goes into connectionInfo is the package's", () => {
  assert.equal(VERSION, manifest.version);
});

test("the README names every example and every public subpath", () => {
  for (const file of readdirSync("examples")) {
    assert.ok(readme.includes(`\`${file.replace(/\.ts$/, "")}\``), file);
  }
  for (const path of Object.keys(manifest.exports)) {
    if (path === "./package.json") continue;
    assert.ok(readme.includes(`1tp${path.slice(1)}`), path);
  }
});

test("each + in the README's table of runtimes names a test", () => {
  const [, table = ""] = /^## Where it runs\n(.*?)^## /ms.exec(readme) ?? [];
  const named = [...table.matchAll(/\+ `([\w/-]+)`/g)].map(([, name]) => `test/${name}.test.ts`);
  assert.ok(named.length >= 10);
  for (const file of named) assert.ok(existsSync(file), file);
  assert.equal(table.match(/\+ /g)?.length, named.length + 1, "a + without a test (the first one explains)");
});
