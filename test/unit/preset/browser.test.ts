import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as browser from "../../../src/browser.ts";
import * as node from "../../../src/index.ts";

/** The compiler holds each to the other's types. */
const entries: readonly (typeof node)[] = [node, browser];

describe("the entry of browsers", () => {
  it("has the names of Node's, and the same words", () => {
    const [ours, theirs] = entries;
    assert.deepEqual(Object.keys(theirs!).sort(), Object.keys(ours!).sort());
    const words = ({ transports, signaling, schedulers }: typeof node): string[][] =>
      [transports, signaling, schedulers].map((plugs) => Object.keys(plugs));
    assert.deepEqual(words(theirs!), words(ours!));
  });

  it("has transports that need Node only to say so", () => {
    for (const [word, detail] of [
      ["tcp", "TCP"],
      ["udp", "UDP"],
    ] as const) {
      assert.throws(() => new browser.transports[word](), {
        code: "ERR_1TP_UNSUPPORTED",
        transport: word,
        message: `this runtime cannot do that: a page has no ${detail}: use websocket, webrtc or relay`,
      });
    }
  });
});
