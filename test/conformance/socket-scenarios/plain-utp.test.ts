import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { destroying } from "./destroying.ts";
import { ending } from "./ending.ts";
import { nodeNet } from "./node-net.ts";
import { opening } from "./opening.ts";
import { plainUtp } from "./plain-utp.ts";
import { reading } from "./reading.ts";
import { serving } from "./serving.ts";
import { play, type Scenario } from "./stage.ts";
import { streaming } from "./streaming.ts";
import { timing } from "./timing.ts";
import { writing } from "./writing.ts";

const SCENARIOS = [
  ...opening,
  ...ending,
  ...destroying,
  ...writing,
  ...reading,
  ...streaming,
  ...timing,
  ...serving,
];

/** Where 1tp/utp is not net, and why. */
const DEPARTURES: Readonly<Record<string, string>> = {
  "the option timeout is setTimeout": "it is the patience with a silent peer",
  "maxConnections drops what is too many": "the dialler is refused before it has connected",
  "a half-open client of a full server sees its end": "the dialler is refused before it has connected",
  "with both sides half-open each end stands alone": "finish waits for the peer's acknowledgement",
  "writing puts the timeout off": "finish waits for the peer's acknowledgement",
};

/** Whether a scenario makes a socket before it connects it. */
function connectsLater({ run }: Scenario): boolean {
  return /stage\.socket\(|harness\.(connect|createSocket)\(/.test(`${run}`);
}

describe("1tp/utp does what node:net does", () => {
  test("every departure is from a scenario that exists", () => {
    const names = SCENARIOS.map(({ name }) => name);
    assert.deepEqual(
      Object.keys(DEPARTURES).filter((name) => !names.includes(name)),
      [],
    );
  });

  const played = SCENARIOS.filter((scenario) => !(scenario.name in DEPARTURES) && !connectsLater(scenario));

  test("at least 100 scenarios are played", () => {
    assert.ok(played.length >= 100, `${played.length}`);
  });

  for (const scenario of played) {
    test(scenario.name, async () => {
      assert.deepEqual(await play(scenario, plainUtp), await play(scenario, nodeNet));
    });
  }
});
