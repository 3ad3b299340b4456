import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { cordovaPreset } from "../../../bundle/cordova/preset.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import { transports } from "../../../src/index.ts";
import { browserPreset } from "../../../src/preset/browser.ts";
import { nodePreset } from "../../../src/preset/node.ts";

const PRESETS = {
  Node: nodePreset,
  "a page": browserPreset,
  "a Chrome app": () => cordovaPreset(transports, { tcp: true }),
  Cordova: () => cordovaPreset(transports, { tcp: false }),
} as const;

const REGISTRAR = { ONETP_REGISTRAR: "ws://127.0.0.1:9" };
const TURN = { TURN_ADDR: "127.0.0.1", TURN_PORT: "9", TURN_USER: "user", TURN_PASS: "pass" };

/** Without a registrar, with one, and with a TURN server as well. */
const EXPECTED: Readonly<Record<keyof typeof PRESETS, readonly (readonly string[])[]>> = {
  Node: [
    ["tcp", "udp"],
    ["tcp", "udp", "udp-punch", "tcp-punch", "webrtc", "relay"],
    ["tcp", "udp", "udp-punch", "tcp-punch", "webrtc", "relay", "turn-udp"],
  ],
  "a page": [["websocket"], ["websocket", "webrtc", "relay"], ["websocket", "webrtc", "relay"]],
  "a Chrome app": [
    ["tcp", "udp", "websocket"],
    ["tcp", "udp", "websocket", "udp-punch", "webrtc", "relay"],
    ["tcp", "udp", "websocket", "udp-punch", "webrtc", "relay"],
  ],
  Cordova: [
    ["udp", "websocket"],
    ["udp", "websocket", "udp-punch", "webrtc", "relay"],
    ["udp", "websocket", "udp-punch", "webrtc", "relay"],
  ],
};

describe("what a runtime has by default", () => {
  afterEach(() => {
    for (const name of Object.keys({ ...REGISTRAR, ...TURN })) delete process.env[name];
  });

  const words = (preset: () => readonly Transport[]): string[] => preset().map(({ type }) => type);

  for (const [runtime, preset] of Object.entries(PRESETS)) {
    const [bare, registrar, turn] = EXPECTED[runtime as keyof typeof PRESETS];

    it(`is ${bare} in ${runtime}`, () => {
      assert.deepEqual(words(preset), bare);
      Object.assign(process.env, TURN);
      assert.deepEqual(words(preset), bare, "TURN alone, with nowhere to meet");
    });

    it(`is ${registrar} in ${runtime} that knows a registrar`, () => {
      Object.assign(process.env, REGISTRAR);
      assert.deepEqual(words(preset), registrar);
      Object.assign(process.env, TURN);
      assert.deepEqual(words(preset), turn, "with a TURN server");
    });
  }

  it("name the variable that is wrong", () => {
    process.env.ONETP_REGISTRAR = "nowhere";
    const message = /^ONETP_REGISTRAR in the environment: .*'nowhere'/;
    for (const make of Object.values(PRESETS))
      assert.throws(make, { code: "ERR_INVALID_ARG_VALUE", message });
    Object.assign(process.env, REGISTRAR, TURN, { TURN_PORT: "many" });
    assert.throws(nodePreset, {
      code: "ERR_SOCKET_BAD_PORT",
      message: /^TURN_ADDR, TURN_PORT, .* in the env/,
    });
  });
});
