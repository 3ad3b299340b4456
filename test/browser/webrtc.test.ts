import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type ConnectionInfo, net, WebRtcTransport } from "1tp";
import { Lab, type Tab } from "./kit/lab.ts";
import { config, Meeting } from "./kit/meeting.ts";
import { testPageTransport } from "./kit/test-page-transport.ts";
import type { EchoResult } from "./page/peer.ts";

const lab = Lab.forThisFile();
const meeting = Meeting.forThisFile();

testPageTransport(lab, {
  word: "webrtc",
  create: () => new WebRtcTransport({ signaling: meeting.signaling, config }),
  pageOptions: () => meeting.pageOptions,
  // It says nothing; its consent runs out (RFC 7675 §5.1).
  lost: "ETIMEDOUT",
});

async function openTab(): Promise<Tab> {
  const tab = await lab.open("peer");
  await tab.call("configure", meeting.pageOptions);
  return tab;
}

for (const size of [1, 100]) {
  test(`a page gets ${size} MiB back from another page over webrtc`, async () => {
    const [server, client] = await Promise.all([openTab(), openTab()]);
    const info = await server.call<ConnectionInfo>("serveEcho", "webrtc");
    const result = await client.call<EchoResult>("echo", info, "webrtc", size * 2 ** 20);
    assert.equal(result.bytes, size * 2 ** 20);
    assert.equal(result.received, result.sent);
    assert.equal(result.remotePublicKey, info[0]?.publicKey);
  });
}

test("two pages that know a registrar find each other with what they have by default", async () => {
  const [server, client] = await Promise.all([lab.open("peer"), lab.open("peer")]);
  const url = JSON.stringify(meeting.pageOptions.registrar);
  for (const tab of [server, client]) await tab.evaluate(`globalThis.ONETP_REGISTRAR = ${url}`);
  const info = await server.call<ConnectionInfo>("serveEcho", "default");
  assert.deepEqual(
    info.map(({ transportType }) => transportType),
    ["webrtc", "relay"],
  );
  const result = await client.call<EchoResult>("echo", info, "default", 2 ** 20);
  assert.equal(result.received, result.sent);
  assert.equal(result.transport, "webrtc");
});

test("a page that listens asks for the cipher that is fast in JavaScript, and Node takes it", async () => {
  const tab = await openTab();
  const info = await tab.call<ConnectionInfo>("serveEcho", "webrtc");
  assert.deepEqual(
    info.map(({ suite }) => suite),
    ["ChaChaPoly"],
  );
  const transport = new WebRtcTransport({ signaling: meeting.signaling, config });
  const socket = await new net.Socket([transport]).connectP(info);
  socket.end("hello");
  assert.equal(await text(socket), "hello");
});
