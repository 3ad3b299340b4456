import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as cordova from "../../../bundle/cordova/platform.ts";
import * as browser from "../../../src/platform/browser.ts";
import * as browserWebSocket from "../../../src/platform/browser-web-socket.ts";
import * as node from "../../../src/platform/node.ts";
import * as nodeWebSocket from "../../../src/platform/node-web-socket.ts";

/** The compiler holds each to the other's types. */
const platforms: readonly (typeof node)[] = [node, browser, cordova];
const webSockets: readonly (typeof nodeWebSocket)[] = [nodeWebSocket, browserWebSocket];

describe("the platform of browsers, and of Chrome apps and Cordova", () => {
  it("has the names of Node's, and so have its WebSockets", () => {
    for (const [ours, ...others] of [platforms, webSockets]) {
      for (const theirs of others) assert.deepEqual(Object.keys(theirs).sort(), Object.keys(ours!).sort());
    }
  });

  it("fills more random bytes than a browser gives at once, to the last", () => {
    const bytes = browser.runtime.random.fill(new Uint8Array(3 * 65_536 + 5));
    assert.ok(bytes.subarray(-64).some((byte) => byte !== 0));
    assert.ok(bytes.subarray(65_536, 65_600).some((byte) => byte !== 0));
  });

  it("takes global texts for an environment", (t) => {
    const globals = globalThis as Record<string, unknown>;
    t.after(() => delete globals.ONETP_TEST);
    assert.equal(browser.environment("ONETP_TEST"), undefined);
    globals.ONETP_TEST = "a text";
    assert.equal(browser.environment("ONETP_TEST"), "a text");
    assert.equal(browser.environment("Object"), undefined);
  });

  it("has neither TCP, UDP nor files, and says so to whoever asks", async () => {
    assert.equal(browser.tcp, undefined);
    assert.equal(browser.privateFiles, undefined);
    assert.equal(browser.runtime.bindDatagram, undefined);
    assert.throws(() => new browser.DgramSocket(), { code: "ERR_1TP_UNSUPPORTED" });
    await assert.rejects(browser.borrowDatagram({} as never), { code: "ERR_1TP_UNSUPPORTED" });
    await assert.rejects(browserWebSocket.listenWeb({} as never), { code: "ERR_1TP_UNSUPPORTED" });
  });

  it("tells subscribers of a diagnostics channel what is published, and nobody else of their errors", () => {
    const channel = browser.diagnosticsChannel("1tp:test");
    assert.equal(browser.diagnosticsChannel("1tp:test"), channel);
    assert.equal(channel.hasSubscribers, false);
    const heard: unknown[] = [];
    const listener = (message: unknown, name: string | symbol): void => void heard.push(message, name);
    channel.subscribe(listener);
    assert.equal(channel.hasSubscribers, true);
    channel.publish("first");
    assert.equal(channel.unsubscribe(listener), true);
    channel.publish("second");
    assert.deepEqual(heard, ["first", "1tp:test"]);
  });
});
