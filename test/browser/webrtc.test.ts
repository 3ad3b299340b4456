import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ConnectionInfo, WebRtcTransport, WebSocketSignaling } from "1tp";
import { createRegistrar, type RegistrarServer } from "1tp/registrar";
import { Lab, type Tab } from "./kit/lab.ts";
import { testPageTransport } from "./kit/test-page-transport.ts";
import type { EchoResult, PageOptions } from "./page/peer.ts";

/** Nobody outside this machine is asked. */
const config = { iceServers: [] };

const lab = Lab.forThisFile();
let registrar: RegistrarServer;
let signaling: WebSocketSignaling;

before(async () => {
  registrar = await createRegistrar({ host: "127.0.0.1" });
  signaling = new WebSocketSignaling({ url: registrar.url });
});

after(async () => {
  await signaling.close();
  await registrar.close();
});

const pageOptions = (): PageOptions => ({ registrar: registrar.url, config });

testPageTransport(lab, {
  word: "webrtc",
  create: () => new WebRtcTransport({ signaling, config }),
  pageOptions,
  // It says nothing; its consent runs out (RFC 7675 §5.1).
  lost: "ETIMEDOUT",
});

async function openTab(): Promise<Tab> {
  const tab = await lab.open("peer");
  await tab.call("configure", pageOptions());
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
