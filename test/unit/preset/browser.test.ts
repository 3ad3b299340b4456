import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cordovaPreset } from "../../../bundle/cordova/preset.ts";
import * as browser from "../../../src/browser.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import * as node from "../../../src/index.ts";
import { browserPreset } from "../../../src/preset/browser.ts";
import { nodePreset } from "../../../src/preset/node.ts";

/** The compiler holds each to the other's types. */
const entries: readonly (typeof node)[] = [node, browser];

describe("what a runtime has by default", () => {
  const words = (preset: () => readonly Transport[]): string[] => preset().map(({ type }) => type);

  it("is tcp and udp in Node", () => {
    assert.deepEqual(words(nodePreset), ["tcp", "udp"]);
  });

  it("is websocket in a page", () => {
    assert.deepEqual(words(browserPreset), ["websocket"]);
  });
});

describe("what a device's app has by default", () => {
  const words = (tcp: boolean): string[] => cordovaPreset(node.transports, { tcp }).map(({ type }) => type);

  it("is tcp, udp and websocket in a Chrome app", () => {
    assert.deepEqual(words(true), ["tcp", "udp", "websocket"]);
  });

  it("is udp and websocket in Cordova", () => {
    assert.deepEqual(words(false), ["udp", "websocket"]);
  });
});

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
        message: `this runtime cannot do that: a page has no ${detail}`,
      });
    }
  });
});
