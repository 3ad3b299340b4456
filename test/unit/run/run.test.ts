import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { installed, provide } from "../../run/needs.ts";
import { selectSuites } from "../../run/suites.ts";
import { NODE_FLAGS } from "../../run/test-file.ts";

const RUNNER = new URL("../../run.ts", import.meta.url).pathname;

describe("running the suites", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-suites-"));
  after(() => rmSync(folder, { recursive: true }));
  const put = (file: string, body: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `import { it } from "node:test";\n${body}`);
  };
  put("test/unit/good.test.ts", `it("a", () => {}); it("b", { skip: "why" }, () => {});`);
  put(
    "test/sim/deep/bad.test.ts",
    `it("a", () => { throw new Error("seed " + process.env.SEED + " of " + process.env.SEEDS); });`,
  );
  put("test/sim/slow/long.test.ts", `it("a", () => {});`);
  put("test/kit/clock.ts", "");

  const run = (words: readonly string[], settings: Record<string, string> = {}) => {
    const env = { ...process.env, ONETP_REQUIRE_ALL: "", ...settings };
    const { status, stdout } = spawnSync(process.execPath, [...NODE_FLAGS, RUNNER, ...words], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    return { status, stdout, lastLine: stdout.trimEnd().split("\n").at(-1) };
  };

  it("ends with the counts over all suites, and fails when a test fails", () => {
    const { status, stdout, lastLine } = run(["unit", "sim"], { SEED: "42" });
    assert.equal(lastLine, "1 passed, 1 failed, 1 skipped");
    assert.match(stdout, /FAILED test\/sim\/deep\/bad\.test\.ts > a\n +Error: seed 42/);
    assert.equal(status, 1);
  });

  it("runs as many seeds as it is told to", () => {
    assert.match(run(["sim", "--seeds", "7"]).stdout, /Error: seed undefined of 7/);
  });

  it("names what it skips and succeeds", () => {
    const { status, stdout, lastLine } = run(["unit"]);
    assert.match(stdout, /SKIPPED test\/unit\/good\.test\.ts > b: why/);
    assert.equal(lastLine, "1 passed, 0 failed, 1 skipped");
    assert.equal(status, 0);
  });

  it("fails what it skips when everything is required", () => {
    const { status, lastLine } = run(["unit"], { ONETP_REQUIRE_ALL: "1" });
    assert.equal(lastLine, "1 passed, 1 failed, 0 skipped");
    assert.equal(status, 1);
  });

  const select = (...words: string[]) =>
    selectSuites(words, join(folder, "test")).map(({ name, files }) => `${name} ${files.length}`);

  it("runs everything but slow files when nothing is asked for", () => {
    assert.deepEqual(select(), ["lint 0", "types 0", "unit 1", "sim 1"]);
  });

  it("takes suites, folders and files", () => {
    assert.deepEqual(select("sim/deep", "unit/good", "types"), ["types 0", "unit 1", "sim 1"]);
    assert.deepEqual(select("sim/slow"), ["sim 1"]);
  });

  it("refuses a word that asks for nothing", () => {
    assert.throws(
      () => select("uni"),
      /no suite or test file is called uni; there are lint, types, unit, sim/,
    );
  });
});

describe("what a suite needs", () => {
  it("is there when its programs are", () => {
    assert.ok(installed("sh"));
    assert.equal(
      provide({ programs: { sh: "dash" } }, () => assert.fail("installs for nothing")),
      undefined,
    );
  });

  it("is named when it cannot be had", () => {
    const reason = provide({ programs: { "no-such-program": "no-such-package" } }, () => "apt-get says no");
    assert.match(reason ?? "", /no-such-program \(Debian package no-such-package\)/);
  });

  it("is there when Python has its modules, and named when it has not", () => {
    assert.equal(
      provide({ modules: { json: "python3" } }, () => assert.fail("installs for nothing")),
      undefined,
    );
    const reason = provide({ modules: { nosuchmodule: "no-such-package" } }, () => "apt-get says no");
    assert.match(reason ?? "", /nosuchmodule \(Debian package no-such-package\)/);
  });

  it("is there when the machine allows what has to be done", () => {
    assert.equal(provide({ able: { to: "true", obstacle: "cannot" } }), undefined);
    assert.equal(provide({ able: { to: "false", obstacle: "cannot" } }), "cannot");
  });

  it("is installed in its folder, and the fault told when it cannot be", () => {
    const folder = mkdtempSync(join(tmpdir(), "1tp-needs-"));
    const lock = { lockfileVersion: 3, packages: { "": { name: "empty" } } };
    writeFileSync(join(folder, "package.json"), '{ "name": "empty", "dependencies": {} }');
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
    assert.equal(provide({ folder }), undefined);
    writeFileSync(join(folder, "package.json"), '{ "name": "empty", "dependencies": { "ws": "1.0.0" } }');
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
    assert.match(provide({ folder }) ?? "", /needs the packages of .*npm ci failed/);
    rmSync(folder, { recursive: true });
  });
});
