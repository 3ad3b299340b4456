import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";

const page = (file: string): string => resolve("test/browser/page/stand-ins", file);

/** What tests written for Node import, and what a page has instead. */
const STAND_INS: Readonly<Record<string, string>> = {
  "node:assert/strict": page("assert.ts"),
  "node:child_process": page("child-process.ts"),
  "node:crypto": page("crypto.ts"),
  "node:events": createRequire(import.meta.url).resolve("events/events.js"),
  "node:fs": page("files.ts"),
  "node:perf_hooks": page("performance.ts"),
  "node:stream": createRequire(import.meta.url).resolve("readable-stream/lib/ours/browser.js"),
  "node:stream/consumers": page("consumers.ts"),
  "node:stream/promises": page("stream-promises.ts"),
  "node:test": page("test.ts"),
  "node:timers/promises": page("timers-promises.ts"),
  "node:zlib": page("zlib.ts"),
};

const plugin: Plugin = {
  name: "stand-ins for Node",
  setup({ onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({
      ...(STAND_INS[path]
        ? { path: STAND_INS[path] }
        : { errors: [{ text: `nothing stands in for ${path}` }] }),
    }));
    onResolve({ filter: /\/kit\/leaks\.ts$/ }, () => ({ path: page("leaks.ts") }));
    onResolve({ filter: /\/platform\/node-crypto\.ts$/ }, () => ({ path: page("node-crypto.ts") }));
  },
};

/** For pages that hold tests written for Node. */
export const NODE_STAND_INS = {
  plugins: [plugin],
  /** Test files are imported for what they do. */
  ignoreAnnotations: true,
  inject: [page("globals.ts")],
  define: { global: "globalThis", "import.meta.url": "location.href" },
} as const satisfies BuildOptions;
