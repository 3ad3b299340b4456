import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNet } from "../conformance/socket-scenarios/node-net.ts";
import { type Notes, play } from "../conformance/socket-scenarios/stage.ts";
import { Lab } from "./kit/lab.ts";
import { NODE_STAND_INS } from "./kit/stand-ins.ts";
import { scenarios } from "./page/scenarios.ts";

const FAST_ANSWER = "over memory the peer's answer is there in the very turn in which our end is taken";

/** What is different in a page, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "pipeline with gzip arrives whole": "a page has no zlib",
  "chunks of other types are refused at once":
    "readable-stream throws a TypeError without a code for functions and symbols",
  "break leaves for await with the socket destroyed":
    "a tick is a microtask, so 'error' comes before what awaits the end of the loop",
  "a half-open client writes on after the server's end": FAST_ANSWER,
  "write in the end listener is still sent": FAST_ANSWER,
};

const lab = Lab.forThisFile();

test("a socket in a page does what a socket of node:net does", async (t) => {
  const tab = await lab.open("scenarios", NODE_STAND_INS);
  const outcomes: { name: string; expected: Notes; actual: unknown }[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    if (DIFFERENT[scenario.name]) continue;
    const expected = await play(scenario, nodeNet);
    for (const security of ["noise", "none"]) {
      const actual = await tab.call("play", index, security).catch((error) => `${error}`);
      outcomes.push({ name: `${scenario.name} (${security})`, expected, actual });
    }
  }
  for (const { name, expected, actual } of outcomes) {
    await t.test(name, () => assert.deepEqual(actual, expected));
  }
});
