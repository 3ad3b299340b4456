import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const { name, version, exports, bin } = JSON.parse(readFileSync("package.json", "utf8"));

/** `1tp`, `1tp/utp` …: every public module; `./package.json` is no module. */
const MODULES = Object.keys(exports)
  .filter((path) => !path.endsWith(".json"))
  .map((path) => join(name, path));

/** How a consumer's TypeScript may look for the types, and the file that imports them. */
const RESOLUTIONS = [
  ["node16", "node16", "mts"],
  ["nodenext", "nodenext", "mts"],
  ["nodenext", "nodenext", "cts"],
  ["esnext", "bundler", "mts"],
] as const;

/** Serves and dials over the package as a stranger has it, and prints what came back. */
const ECHO = `
  const server = net.createServer([new transports.tcp()], { security: "none" }, (socket) => socket.pipe(socket));
  server.listen(() => {
    const socket = net.createConnection(server.address(), [new transports.tcp()], { security: "none" });
    socket.end("hello");
    socket.on("data", (data) => process.stdout.write(data));
    socket.on("close", () => server.close());
  });`;

describe("the packed package", () => {
  const work = mkdtempSync(join(tmpdir(), "1tp-package-"));
  const tarball = join(work, `${name}-${version}.tgz`);
  const consumer = join(work, "consumer");
  const installed = join(consumer, "node_modules", name);
  after(() => rmSync(work, { recursive: true }));

  before(() => {
    run("npm", ["pack", "--pack-destination", work]);
    mkdirSync(consumer);
    writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], consumer);
  });

  it("holds the build and the pages, nothing else", () => {
    const strange = filesOf(installed).filter(
      (file) =>
        !/^(dist\/.+\.(js|d\.ts)|build\/1tp\.[\w.]+|package\.json|LICENSE|(\w+\/)?[A-Z]+\.md)$/.test(file),
    );
    assert.deepEqual(strange, []);
  });

  it("holds the pages that its README sends users to, not those for who works on it", () => {
    const readme = readFileSync(join(installed, "README.md"), "utf8");
    const pages = [...readme.matchAll(/\]\(([\w/]+\.md)\)/g)].map(([, page]) => page!);
    const missing = pages.filter((page) => !filesOf(installed).includes(page));
    assert.ok(pages.includes("transports/README.md"));
    assert.deepEqual(
      missing.filter((page) => !/^(src|bench)\//.test(page)),
      [],
    );
  });

  it("never looks for its sources", () => {
    const seeking = filesOf(installed)
      .filter((file) => file.endsWith(".js"))
      .filter((file) => /1tp-source|from "[^"]+\.ts"/.test(readFileSync(join(installed, file), "utf8")));
    assert.deepEqual(seeking, []);
  });

  for (const [where, folder] of [
    ["in an empty folder", consumer],
    ["inside the project itself", "."],
  ] as const) {
    for (const module of MODULES) {
      it(`gives the same names to import and to require of ${module} ${where}`, () => {
        const print = (entry: string): string => `console.log(Object.keys(${entry}).sort().join())`;
        const imported = node(["--input-type=module", "-e", print(`await import("${module}")`)], folder);
        const required = node(["--input-type=commonjs", "-e", print(`require("${module}")`)], folder);
        assert.match(imported, /\w/);
        assert.equal(required, imported);
      });
    }
  }

  it("echoes over TCP by import and by require", () => {
    const head = `{ net, transports } `;
    assert.equal(
      node(["--input-type=module", "-e", `import ${head} from "1tp"; ${ECHO}`], consumer),
      "hello",
    );
    assert.equal(
      node(["--input-type=commonjs", "-e", `const ${head} = require("1tp"); ${ECHO}`], consumer),
      "hello",
    );
  });

  for (const [where, folder] of [
    ["installed", consumer],
    ["in a checkout", "."],
  ] as const) {
    it(`has the command, ${where}`, async () => {
      assert.equal(run("npx", ["--no-install", "1tp", "--version"], folder), `${version}\n`);
      const main = join(folder === "." ? "." : installed, bin["1tp"]);
      const registrar = spawn(process.execPath, [main, "registrar", "--host", "127.0.0.1"]);
      const exit = once(registrar, "exit");
      let output = "";
      for await (const text of registrar.stdout.setEncoding("utf8")) {
        output += text;
        if (/^stun/m.test(output) && !registrar.killed) registrar.kill("SIGTERM");
      }
      assert.match(output, /^url ws:\/\/127\.0\.0\.1:\d+$/m);
      assert.match(output, /^closed$/m);
      assert.deepEqual(await exit, [0, null]);
    });
  }

  for (const [kind, resolution, extension] of RESOLUTIONS) {
    it(`has types under moduleResolution ${resolution} in .${extension}`, () => {
      const file = `consumer-${resolution}.${extension}`;
      const source = MODULES.map((module, i) => {
        const line =
          extension === "cts"
            ? `import m${i} = require("${module}");`
            : `import * as m${i} from "${module}";`;
        return `${line}\nm${i};\n// @ts-expect-error: an export that was any would have every name\nm${i}.noSuchName;\n`;
      });
      writeFileSync(join(consumer, file), source.join(""));
      copyFileSync("test/package/idioms.mts", join(consumer, "idioms.mts"));
      const strict =
        "--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --verbatimModuleSyntax";
      const options = `--noEmit ${strict} --target es2023 --lib es2023,esnext.disposable --types node --module ${kind}`;
      const files = extension === "mts" ? [file, "idioms.mts"] : [file];
      const typeRoots = ["--typeRoots", resolve("node_modules/@types")];
      run(
        resolve("node_modules/.bin/tsc"),
        [...options.split(" "), "--moduleResolution", resolution, ...typeRoots, ...files],
        consumer,
      );
    });
  }

  it("leaves publint nothing to say", async () => {
    const { buffer } = new Uint8Array(readFileSync(tarball));
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });

  it("leaves attw nothing to say of an ES module package", () => {
    run("node_modules/.bin/attw", [tarball, "--profile", "esm-only", "--no-color"]);
  });
});

/** Runs Node without the source condition: what a consumer has. */
function node(args: readonly string[], cwd: string): string {
  return run(process.execPath, args, cwd);
}

/** Returns what the program printed; throws with all of it when it fails. */
function run(program: string, args: readonly string[], cwd = "."): string {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
