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

  it("neither needs nor makes globals of Node", async () => {
    const tab = await lab.open("memory");
    await tab.call("echo", 1, "noise");
    assert.deepEqual(await tab.call("nodeGlobals"), []);
  });
});
