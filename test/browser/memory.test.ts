import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Lab } from "./kit/lab.ts";
import type * as page from "./page/memory.ts";

type Echo = Awaited<ReturnType<typeof page.echo>>;

const lab = Lab.forThisFile();

describe("1tp in a page", () => {
  for (const security of ["noise", "none"] as const) {
    it(`echoes 1 MiB between two ends in the page, with security ${security}`, async () => {
      const tab = await lab.open("memory");
      const { sent, received, ...rest } = await tab.call<Echo>("echo", 2 ** 20, security);
      assert.equal(received, sent);
      assert.deepEqual(rest, {
        transport: "memory",
        keyProved: security === "noise",
        outcomes: ["won"],
      });
    });
  }

  it("echoes in a worker, too", async () => {
    const tab = await lab.open("memory");
    lab.serve("/worker.js", 'importScripts("/memory.js"); page.echo(65536, "noise").then(postMessage);');
    const { sent, received } = await tab.evaluate<Echo>(`new Promise((resolve, reject) => {
      const worker = new Worker("/worker.js");
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    })`);
    assert.equal(received, sent);
  });

  it("neither needs nor makes globals of Node", async () => {
    const tab = await lab.open("memory");
    await tab.call("echo", 1, "noise");
    assert.deepEqual(await tab.call("nodeGlobals"), []);
  });
});
