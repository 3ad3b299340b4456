import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistrar, MemoryDirectory } from "../../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";

async function metrics(url: string): Promise<string> {
  const response = await fetch(`${url.replace("ws", "http")}/metrics`, { headers: { connection: "close" } });
  return response.text();
}

const LOCAL = { host: "127.0.0.1", stun: false, drainTimeout: 0 } as const;

test("what are no URLs is refused at once", () => {
  const wrong: [unknown, string][] = [
    [[], "ERR_OUT_OF_RANGE"],
    [Array(17).fill("ws://a"), "ERR_OUT_OF_RANGE"],
    [["ws://a", 7], "ERR_INVALID_ARG_TYPE"],
    [["ws://a", "ftp://b"], "ERR_INVALID_ARG_VALUE"],
    ["ws://a/#b", "ERR_INVALID_ARG_VALUE"],
    [undefined, "ERR_INVALID_ARG_TYPE"],
  ];
  for (const [url, code] of wrong) {
    assert.throws(() => new WebSocketSignaling({ url: url as string }), { code }, JSON.stringify(url));
  }
});

test("an address with a fragment, which no WebSocket is opened at, is none", async () => {
  const signaling = new WebSocketSignaling({ url: "ws://a" });
  for (const url of ["ws://b/#c", "ws://b#", "http://b/?d#"]) {
    const address = { type: "websocket-signaling", uid: "0".repeat(32), url };
    assert.equal(signaling.accepts(address), false, url);
    await assert.rejects(signaling.open(address, "test"), { code: "ERR_1TP_BAD_ADDRESS" });
  }
});

test("a stranger's path at a registrar is not the next one's", () =>
  assertNothingLeft(async () => {
    const registrar = await createRegistrar(LOCAL);
    const client = new WebSocketSignaling({ url: "ws://127.0.0.1:1" });
    const uid = "0".repeat(32);
    const open = (path: string) =>
      client.open({ type: "websocket-signaling", uid, url: `${registrar.url}${path}` }, "test");
    const paths = ["/there", "/", ""];
    const errors = await Promise.all(paths.map((path) => open(path).catch((error: unknown) => error)));
    assert.deepEqual(
      errors.map(codeOf),
      paths.map(() => "ERR_1TP_PEER_OFFLINE"),
    );
    assert.match(await metrics(registrar.url), /connections 2$/m);
    await client.close();
    await registrar.close();
  }));

test("of two URLs the one that answers is told as it was given, and both know the token", () =>
  assertNothingLeft(async () => {
    const gone = await createRegistrar(LOCAL);
    await gone.close();
    const token = "let me in";
    const directory = new MemoryDirectory();
    const registrar = await createRegistrar({ ...LOCAL, token, directory });
    const given = `${registrar.url.replace("ws", "http")}/here`;
    const server = new WebSocketSignaling({ url: [gone.url, given], token });
    let accept: (dialog: Dialog) => void = () => {};
    const accepted = new Promise<Dialog>((resolve) => {
      accept = resolve;
    });
    const { address } = await server.register({ transportType: "test", onDialog: accept });
    assert.equal(address.url, given);
    const client = new WebSocketSignaling({ url: given, token });
    const near = await client.open(address, "test");
    await near.send("found");
    assert.deepEqual(await new DialogProbe(await accepted).received(1), ["found"]);
    for (const one of [client, server, registrar]) await one.close();
  }));
