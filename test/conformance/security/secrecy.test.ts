import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import { createIdentity, LocalSignaling, type SocketOptions, WebRtcTransport } from "1tp";
import { machine } from "./places.ts";
import { recordedRuntime } from "./recorded-runtime.ts";
import { Relay } from "./relay.ts";
import { Scene, withoutKeys } from "./scene.ts";
import { tappedWebRtc } from "./tapped-web-rtc.ts";
import { WIRES, type Wire } from "./wires.ts";

/** Has words echoed. Gives all bytes that passed between the ends, from a relay and from below their sockets. */
async function record(t: TestContext, { place, ...wire }: Wire, words: string, options: SocketOptions) {
  const datagrams: Uint8Array[] = [];
  const keep = (data: Uint8Array) => void datagrams.push(data);
  const server = recordedRuntime(place.server, keep);
  const client = recordedRuntime(place.client, keep);
  const scene = new Scene(t, { place, ...wire }, { ...place, server, client });
  const identities = { client: createIdentity(), server: createIdentity() };
  const { security = "noise" } = options;
  const stand = await scene.serve({ security, identity: identities.server });
  const relay = await Relay.open(scene, stand.info[0]!);
  const info = options.allowUnknownPeer ? withoutKeys(relay.info) : relay.info;
  const visitor = scene.dial(info, { ...options, identity: identities.client }, relay.transports);
  visitor.socket.write(words);
  await visitor.hears(words);
  visitor.socket.end();
  await Promise.all([visitor.gone(), (await stand.visitor()).gone()]);
  return { ...identities, bytes: Buffer.concat([relay.bytes("up"), relay.bytes("down"), ...datagrams]) };
}

/** A key as it could stand somewhere: its bytes and its text. */
function forms(key: string): readonly (string | Buffer)[] {
  const text = key.replace("1tp-secret-", "");
  return [text, Buffer.from(text, "base64url")];
}

for (const wire of WIRES) {
  describe(`what passes over ${wire.word}`, () => {
    const words = `${randomBytes(24).toString("hex")} is what was said`;

    test("holds neither the words nor any key of the two, secret or public", async (t) => {
      const { bytes, client, server } = await record(t, wire, words, {});
      assert.ok(bytes.length > 2 * words.length);
      assert.equal(bytes.includes(words), false);
      const keys = [client, server].flatMap((each) => [each.publicKey, each.exportSecret()]);
      for (const form of keys.flatMap(forms)) assert.equal(bytes.includes(form), false);
    });

    test("holds them where security is 'none', so that this room's eyes are open", async (t) => {
      const { bytes } = await record(t, wire, words, { security: "none" });
      assert.equal(bytes.includes(words), true);
    });

    test("holds no words to an unknown peer either", async (t) => {
      const { bytes } = await record(t, wire, words, { allowUnknownPeer: true });
      assert.equal(bytes.includes(words), false);
    });
  });
}

test("the datagrams of webrtc hold no words, whether there is a session in them or DTLS alone", async (t) => {
  for (const security of ["noise", "none"] as const) {
    const datagrams: Uint8Array[] = [];
    const tapped = tappedWebRtc((data) => void datagrams.push(data));
    const signaling = new LocalSignaling();
    const create = () => new WebRtcTransport({ signaling, config: { iceServers: [] }, wrtc: tapped });
    const scene = new Scene(t, { word: "webrtc", create, place: machine }, machine);
    const stand = await scene.serve({ security });
    const words = "what was said ".repeat(1000);
    const visitor = scene.dial(stand.info, { security });
    visitor.socket.write(words);
    await visitor.hears(words);
    const bytes = Buffer.concat(datagrams);
    assert.ok(bytes.length > 2 * words.length, `${bytes.length} bytes passed`);
    assert.equal(bytes.includes("what was said"), false);
    visitor.socket.end();
    await Promise.all([visitor.gone(), (await stand.visitor()).gone()]);
  }
});
