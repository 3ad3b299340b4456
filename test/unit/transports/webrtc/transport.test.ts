import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { LocalSignaling } from "../../../../signaling/local/index.ts";
import { codeOf } from "../../../../src/base/errors.ts";
import type { Signaling, SignalingServices } from "../../../../src/contract/dialog.ts";
import { completeConfig } from "../../../../transports/webrtc/ice-servers.ts";
import { WebRtcTransport } from "../../../../transports/webrtc/index.ts";
import { maxMessageIn, typesIn } from "../../../../transports/webrtc/signal.ts";

/** A signaling that offers these services, or none. */
function offering(services?: () => Promise<SignalingServices>): Signaling {
  return Object.assign(new LocalSignaling(), services ? { services } : {});
}

test("the STUN and TURN servers of the configuration are used, the older url as urls, and no others", async () => {
  const never = offering(() => assert.fail("nobody has to be asked"));
  const iceServers = [
    { url: "stun:192.0.2.1" },
    { urls: ["turn:192.0.2.2"], username: "u", credential: "p" },
    { urls: "stun:192.0.2.3", url: "stun:192.0.2.4" },
  ];
  const config = await completeConfig({ iceServers, iceTransportPolicy: "relay" }, never);
  assert.deepEqual(config, {
    iceTransportPolicy: "relay",
    iceServers: [
      { urls: "stun:192.0.2.1" },
      { urls: ["turn:192.0.2.2"], username: "u", credential: "p" },
      { urls: "stun:192.0.2.3" },
    ],
  });
  assert.deepEqual(await completeConfig({ iceServers: [] }, never), { iceServers: [] });
});

test("without any in the configuration the signaling's are used, as far as they are some", async () => {
  const services = {
    stun: ["stun:192.0.2.1:3478", "nonsense"],
    turn: [
      { uris: ["turn:192.0.2.2?transport=udp", "ftp:x"], username: "u", password: "p" },
      { uris: ["none"], username: "v", password: "q" },
    ],
  };
  assert.deepEqual(
    await completeConfig(
      undefined,
      offering(async () => services),
    ),
    {
      iceServers: [
        { urls: ["stun:192.0.2.1:3478"] },
        { urls: ["turn:192.0.2.2?transport=udp"], username: "u", credential: "p" },
      ],
    },
  );
  assert.deepEqual(await completeConfig({}, offering()), { iceServers: [] });
  const broken = offering(() => Promise.reject(new Error("no answer")));
  assert.deepEqual(await completeConfig({}, broken), { iceServers: [] });
});

test("messages are as long as the peer's description allows, at most 64 KiB", () => {
  const size = (value: string): number => maxMessageIn(`v=0\r\na=max-message-size:${value}\r\na=x\r\n`);
  assert.equal(size("16384"), 16_384);
  assert.equal(size("262144"), 65_536);
  assert.equal(size("0"), 65_536);
  assert.equal(size("-1"), 65_536);
  assert.equal(size("99999999999999"), 65_536);
  assert.equal(maxMessageIn("v=0"), 65_536);
});

test("the kinds of candidates are read from descriptions and from single ones", () => {
  const sdp =
    "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=candidate:2 1 udp 1 192.0.2.2 9 typ relay raddr x";
  assert.deepEqual(typesIn(sdp), ["host", "relay"]);
  assert.deepEqual(typesIn("candidate:1 1 udp 1 192.0.2.1 9 typ hostile"), []);
});

test("wrong options throw at once", () => {
  const signaling = new LocalSignaling();
  for (const [options, code] of [
    [undefined, "ERR_INVALID_ARG_TYPE"],
    [{}, "ERR_INVALID_ARG_TYPE"],
    [{ signaling: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, cost: "50" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, config: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, config: { iceServers: {} } }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, config: { iceServers: [{}] } }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, config: { iceServers: [null] } }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, wrtc: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, trickle: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, sdpTransform: "x" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, iceCompleteTimeout: -1 }, "ERR_OUT_OF_RANGE"],
    [{ signaling, channelConfig: { ordered: false } }, "ERR_INVALID_ARG_VALUE"],
    [{ signaling, channelConfig: { maxRetransmits: 0 } }, "ERR_INVALID_ARG_VALUE"],
    [{ signaling, channelConfig: { maxPacketLifeTime: 1 } }, "ERR_INVALID_ARG_VALUE"],
  ] as const) {
    assert.throws(
      () => new WebRtcTransport(options as never),
      (error) => codeOf(error) === code,
      JSON.stringify(options),
    );
  }
});

/** Runs a module in a process where the package `wrtc` is not installed. */
async function withoutPackage(source: string): Promise<unknown> {
  const hook =
    'export const resolve = (name, context, next) => { if (name === "wrtc") throw Object.assign(new Error("gone"), { code: "ERR_MODULE_NOT_FOUND" }); return next(name, context); };';
  const register = `import { register } from "node:module"; register(${JSON.stringify(`data:text/javascript,${hook}`)});`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=1tp-source",
    ...["--import", "tsx", "--import", `data:text/javascript,${encodeURIComponent(register)}`],
    ...["--input-type=module", "--eval", source],
  ]);
  return JSON.parse(stdout);
}

test("without the optional package dialling and listening say what to install", async () => {
  const said = await withoutPackage(`
    import { createConnection, createServer, LocalSignaling, WebRtcTransport } from "1tp";
    const transport = new WebRtcTransport({ signaling: new LocalSignaling() });
    const transportInfo = { type: "local-signaling", uid: "0".repeat(32) };
    const publicKey = "A".repeat(42) + "E";
    const server = createServer([transport]);
    const failed = (emitter) => new Promise((resolve) => emitter.once("error", ({ code, message }) => resolve([code, message])));
    const socket = createConnection([{ transportType: "webrtc", transportInfo, publicKey }], [transport]);
    const dialling = await failed(socket);
    server.listen();
    const listening = await failed(server);
    console.log(JSON.stringify([dialling, listening]));
  `);
  for (const [code, message] of said as [string, string][]) {
    assert.equal(code, "ERR_1TP_WEBRTC_MISSING");
    assert.match(message, /npm install wrtc@npm:@roamhq\/wrtc/);
  }
});

test("the preset has webrtc where a registrar is named and the package is there", async () => {
  const words = `
    process.env.ONETP_REGISTRAR = process.env.WANTED;
    const { nodePreset } = await import(${JSON.stringify(import.meta.resolve("../../../../src/preset/node.ts"))});
    console.log(JSON.stringify(nodePreset().map(({ type }) => type)));
  `;
  process.env.WANTED = "ws://127.0.0.1:1";
  assert.equal(((await withoutPackage(words)) as string[]).includes("webrtc"), false);
  const flags = ["--conditions=1tp-source", "--import", "tsx", "--input-type=module", "--eval", words];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  assert.equal(JSON.parse(stdout).includes("webrtc"), true);
  process.env.WANTED = "";
  assert.equal(
    JSON.parse((await promisify(execFile)(process.execPath, flags)).stdout).includes("webrtc"),
    false,
  );
});
