/** `npm run build:browser [-- folder]`: the files for browsers, in `build/` unless told otherwise. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { CORDOVA_OPTIONS } from "./cordova/options.ts";
import { BROWSER_OPTIONS } from "./options.ts";

const { name, version, license } = JSON.parse(readFileSync("package.json", "utf8"));
const folder = process.argv[2] ?? "build";

const SCRIPT: BuildOptions = { entryPoints: ["src/browser.ts"], format: "iife", globalName: "onetp" };
const MODULE: BuildOptions = { entryPoints: ["src/browser.ts"], format: "esm" };

const FILES: Readonly<Record<string, BuildOptions>> = {
  "1tp.debug.js": SCRIPT,
  "1tp.min.js": { ...SCRIPT, minify: true },
  "1tp.mjs": MODULE,
  "1tp.cordova.js": { ...SCRIPT, ...CORDOVA_OPTIONS, minify: true },
};

rmSync(folder, { recursive: true, force: true });
for (const [file, options] of Object.entries(FILES)) {
  await build({
    ...BROWSER_OPTIONS,
    ...options,
    banner: { js: `/*! ${name} ${version}, ${license} */` },
    legalComments: "eof",
    outfile: join(folder, file),
  });
}
