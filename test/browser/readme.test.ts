import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { Lab } from "./kit/lab.ts";
import { Consumer } from "./kit/packed-package.ts";

const lab = Lab.forThisFile();
const [, section] = /^## In a browser\n(.*?)^## /ms.exec(readFileSync("README.md", "utf8")) ?? [];

/** The first block of code in that language. */
function block(language: string): string {
  const [, code] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(section!) ?? [];
  assert.ok(code, `no block of ${language}`);
  return code;
}

/** The first line of the output that holds it. */
async function printed({ stdout }: ChildProcess, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) {
    const [found] = pattern.exec(line) ?? [];
    if (found) return found;
  }
  throw new Error(`nothing was printed like ${pattern}`);
}

test("the README's section on browsers works when it is followed to the letter", async () => {
  const consumer = new Consumer();
  const children: ChildProcess[] = [];
  const start = (program: string, ...words: string[]): ChildProcess => {
    const child = spawn(program, words, {
      cwd: consumer.folder,
      detached: true,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return child;
  };
  try {
    consumer.run(block("sh"));
    consumer.write("server.mjs", block("js"));
    consumer.write("index.html", block("html"));
    const ticket = await printed(start("node", "server.mjs"), /^1tp:\S+/);
    const url = await printed(start("npx", "vite"), /http:\/\/localhost:\d+\//);
    const tab = await lab.visit(`${url}#${ticket}`);
    await tab.page.getByText("hello over websocket").waitFor();
    await tab.close();
    // Vite's page has no icon, of which Chromium tells in the console.
    tab.faults.splice(0);
  } finally {
    await Promise.all(
      children.map((child) => {
        const exit = once(child, "exit");
        process.kill(-child.pid!, "SIGKILL");
        return exit;
      }),
    );
    consumer.remove();
  }
});
