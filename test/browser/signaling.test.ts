import assert from "node:assert/strict";
import { test } from "node:test";
import { type SignalingAddress, WebSocketSignaling } from "1tp";
import { createRegistrar } from "1tp/registrar";
import { DialogProbe } from "../conformance/dialog-probe.ts";
import { Lab, type Tab } from "./kit/lab.ts";

const lab = Lab.forThisFile();
const host = "127.0.0.1";

/** Registers in Node and answers every signal with it. */
async function registerHere(signaling: WebSocketSignaling): Promise<SignalingAddress> {
  const { address } = await signaling.register({
    transportType: "test",
    onDialog: (dialog) =>
      dialog.attach({ onSignal: (body) => void dialog.send({ body }), onClose: () => undefined }),
  });
  return address;
}

async function ask(signaling: WebSocketSignaling, address: SignalingAddress): Promise<unknown> {
  const probe = new DialogProbe(await signaling.open(address, "test"));
  await probe.dialog.send("hello");
  const [answer] = await probe.received(1);
  probe.dialog.close();
  return answer;
}

test("a page and Node open dialogs to each other over a registrar", async () => {
  const registrar = await createRegistrar({ host });
  const signaling = new WebSocketSignaling({ url: registrar.url });
  try {
    const tab = await lab.open("signaling");
    const there = await tab.call<SignalingAddress>("register", registrar.url);
    assert.deepEqual(await ask(signaling, there), { body: "hello", from: host });
    const here = await registerHere(signaling);
    assert.deepEqual(await tab.call("ask", registrar.url, here, "hello"), { body: "hello" });
    await tab.call("close");
    await assert.rejects(signaling.open(there, "test"), { code: "ERR_1TP_PEER_OFFLINE" });
  } finally {
    await signaling.close();
    await registrar.close();
  }
});

test("a page is found again after its registrar was restarted", async () => {
  const first = await createRegistrar({ host });
  const port = Number(new URL(first.url).port);
  const tab = await lab.open("signaling");
  const there = await tab.call<SignalingAddress>("register", first.url);
  const back = registered(tab);
  await first.close();
  const second = await createRegistrar({ host, port });
  const signaling = new WebSocketSignaling({ url: second.url });
  try {
    await back;
    assert.deepEqual(await ask(signaling, there), { body: "hello", from: host });
    // Chromium itself says in the console that a WebSocket could not be opened.
    tab.faults.splice(0);
    await tab.call("close");
  } finally {
    await signaling.close();
    await second.close();
  }
});

/** Resolves when a registrar tells the page that it is registered. */
function registered({ page }: Tab): Promise<void> {
  return new Promise((resolve) => {
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        if (/"registered"/.test(payload.toString())) resolve();
      });
    });
  });
}

test("a page that finds no registrar hears ECONNREFUSED", async () => {
  const registrar = await createRegistrar({ host });
  await registrar.close();
  const tab = await lab.open("signaling");
  const address = { type: "websocket-signaling", uid: "00".repeat(16), url: registrar.url };
  assert.equal(await tab.call("ask", registrar.url, address, "hello"), "ECONNREFUSED");
  tab.faults.splice(0);
});
