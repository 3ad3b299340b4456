import { createRequire } from "node:module";
import type { Browser } from "playwright-core";

/** Nothing of a display, a network or a profile but what the tests make. Its temporary profile goes with the browser. */
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Debian's Chromium, which `test/run/needs.ts` asks for. */
export function startChromium(flags: readonly string[] = []): Promise<Browser> {
  const { chromium } = createRequire(import.meta.url)("playwright-core") as typeof import("playwright-core");
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    chromiumSandbox: false,
    args: [...FLAGS, ...flags],
  });
}
