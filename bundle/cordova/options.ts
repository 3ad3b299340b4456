import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Plugin } from "esbuild";
import { BROWSER_OPTIONS } from "../options.ts";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The platform, and what `chrome-net` takes from Node. */
const STAND_INS: Readonly<Record<string, string>> = {
  "#platform": here("./platform.ts"),
  stream: createRequire(import.meta.url).resolve("readable-stream/lib/ours/browser.js"),
  timers: here("./timers.ts"),
  util: here("./util.ts"),
};

const standIns: Plugin = {
  name: "stand-ins for Chrome apps and Cordova",
  setup({ onResolve }) {
    onResolve({ filter: /^(#platform|stream|timers|util)$/ }, ({ path }) => ({ path: STAND_INS[path]! }));
  },
};

/** How 1tp is bundled for Chrome apps and Cordova. `chrome-net` and `chrome-dgram` name globals of Node. */
export const CORDOVA_OPTIONS = {
  ...BROWSER_OPTIONS,
  entryPoints: [here("./entry.ts")],
  plugins: [standIns, ...BROWSER_OPTIONS.plugins],
  inject: [here("./node-globals.ts")],
} as const satisfies BuildOptions;
