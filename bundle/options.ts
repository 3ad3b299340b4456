import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Plugin } from "esbuild";

/** What stands in for packages that go by timers, or that are there twice. */
const STAND_INS: Readonly<Record<string, string>> = {
  process: fileURLToPath(new URL("./process.ts", import.meta.url)),
  "readable-stream": createRequire(import.meta.url).resolve("readable-stream/lib/ours/browser.js"),
};

const standIns: Plugin = {
  name: "stand-ins",
  setup({ onResolve }) {
    onResolve({ filter: /^(process\/?|readable-stream)$/ }, ({ path }) => ({
      path: STAND_INS[path.replace("/", "")]!,
    }));
  },
};

/** How everything for browsers is bundled: from the sources, asking for no globals but the browser's. */
export const BROWSER_OPTIONS = {
  bundle: true,
  platform: "browser",
  target: "es2022",
  conditions: ["browser", "1tp-source"],
  define: { global: "globalThis" },
  plugins: [standIns],
  sourcemap: true,
  logLevel: "warning",
} as const satisfies BuildOptions;
