import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { destroying } from "./destroying.ts";
import { ending } from "./ending.ts";
import { nodeNet } from "./node-net.ts";
import { onetp } from "./onetp.ts";
import { opening } from "./opening.ts";
import { reading } from "./reading.ts";
import { serving } from "./serving.ts";
import { type Notes, play } from "./stage.ts";
import { streaming } from "./streaming.ts";
import { timing } from "./timing.ts";
import { WORDS } from "./words.ts";
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

/** Node's `net` plays twice: a scenario whose own outcome is chance proves nothing. */
const HARNESSES = [
  nodeNet,
  ...(["noise", "none"] as const).flatMap((security) =>
    Object.entries(WORDS).map(([word, create]) => onetp(word, create(), security)),
  ),
];

/**
 * Over bare uTP `'finish'` says that the peer has everything, not that the kernel has: it comes a round trip
 * later, which these see. A session's says that the transport has everything.
 */
const SEE_A_LATER_FINISH = new Set(["with both sides half-open each end stands alone"]);

/** Through a TURN server an acknowledgement may come after what was sent later, but the other way. */
const SEE_A_FINISH_LATER_STILL = new Set([
  ...SEE_A_LATER_FINISH,
  "a half-open client writes on after the server's end",
  "write in the end listener is still sent",
  "end in the end listener is the end",
  "destroySoon sends what waits, then closes without the peer's end",
]);

/** Over WebSockets, data channels and relays the accepted end is open half a round trip before the dialling one, which these see. */
const SEE_WHO_OPENS_FIRST = new Set([
  "what came before anybody listened is not lost, and neither is the end",
  "a paused client sees the end only when it reads on",
]);

/** WebRTC takes longer to connect than these let a socket be idle. */
const SEE_HOW_LONG_IT_TAKES = new Set([
  "nothing is emitted after close",
  "the option timeout is setTimeout",
  "setTimeout before connect holds after it",
]);

const EXCEPTIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  "1tp over udp without sessions": SEE_A_LATER_FINISH,
  "1tp over websocket without sessions": SEE_WHO_OPENS_FIRST,
  "1tp over relay without sessions": SEE_WHO_OPENS_FIRST,
  "1tp over udp-punch without sessions": SEE_A_LATER_FINISH,
  "1tp over turn without sessions": SEE_A_FINISH_LATER_STILL,
  "1tp over webrtc": SEE_HOW_LONG_IT_TAKES,
  "1tp over webrtc without sessions": new Set([...SEE_WHO_OPENS_FIRST, ...SEE_HOW_LONG_IT_TAKES]),
};

/** Where a transport is signaled, nobody refuses: nobody is there. */
function asRefused(notes: Notes): Notes {
  return JSON.parse(JSON.stringify(notes).replaceAll("ERR_1TP_PEER_OFFLINE", "ECONNREFUSED"));
}

describe("1tp does what node:net does", () => {
  test("at least 70 scenarios, each of its own name, are played", () => {
    assert.ok(SCENARIOS.length >= 70);
    assert.equal(new Set(SCENARIOS.map((scenario) => scenario.name)).size, SCENARIOS.length);
  });

  for (const scenario of SCENARIOS) {
    test(scenario.name, async (t) => {
      const expected = await play(scenario, nodeNet);
      for (const harness of HARNESSES) {
        if (EXCEPTIONS[harness.name]?.has(scenario.name)) continue;
        await t.test(harness.name, async () =>
          assert.deepEqual(asRefused(await play(scenario, harness)), expected),
        );
      }
    });
  }
});
