import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createSocket } from "node:dgram";
import net from "node:net";
import { test } from "node:test";
import { runtime } from "#platform";
import { type CreateRegistrarOptions, createRegistrar } from "../../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import type { Dialog, SignalingServices } from "../../../src/contract/dialog.ts";
import { StunPort } from "../../../src/host/stun-port.ts";
import { bindingOverTcp } from "../../../src/host/stun-stream.ts";
import { OTHER_ADDRESS } from "../../../src/stun/addresses.ts";
import { CHANGE_REQUEST } from "../../../src/stun/behaviour.ts";
import { BINDING } from "../../../src/stun/binding.ts";
import { parseStunUri } from "../../../src/stun/uri.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";

const LOCAL = { host: "127.0.0.1", drainTimeout: 0 };

/** Asks a registrar with these options what it offers, dialling it by that host. */
function offered(
  options: CreateRegistrarOptions,
  body: (services: SignalingServices, registrar: Awaited<ReturnType<typeof createRegistrar>>) => unknown,
  host = "127.0.0.1",
): () => Promise<void> {
  return () =>
    assertNothingLeft(async () => {
      const registrar = await createRegistrar(options);
      const { port } = registrar.address();
      const signaling = new WebSocketSignaling({ url: `ws://${host}:${port}/` });
      try {
        await body(await signaling.services(), registrar);
      } finally {
        await signaling.close();
        await registrar.close();
      }
    });
}

async function serverAt(uri: string | undefined): Promise<{ address: string; port: number }> {
  const { host, port } = parseStunUri(uri ?? "")!;
  const [address] = await runtime.lookup!(host);
  return { address: address!, port };
}

test(
  "a registrar offers STUN on its own host, which answers over UDP and TCP and is counted",
  offered(LOCAL, async ({ stun, turn, observedAddress }, registrar) => {
    assert.deepEqual(turn, []);
    assert.equal(observedAddress, "127.0.0.1");
    assert.equal(stun.length, 1);
    const server = await serverAt(stun[0]);
    assert.deepEqual(registrar.stun, [server]);
    const socket = await runtime.bindDatagram!({ address: "127.0.0.1" });
    const port = new StunPort(socket, runtime);
    socket.attach(port);
    assert.deepEqual(await port.requests.binding(server), socket.local);
    socket.close();
    const seen = await bindingOverTcp(net, server, runtime);
    assert.equal(seen.address, "127.0.0.1");
    const url = `http://127.0.0.1:${registrar.address().port}/metrics`;
    const metrics = await (await fetch(url, { headers: { connection: "close" } })).text();
    assert.match(metrics, /^onetp_registrar_stun_answers_total 2$/m);
  }),
);

test(
  "on every address it names the host that was dialled, and answers there",
  offered(
    { drainTimeout: 0 },
    async ({ stun }, registrar) => {
      assert.match(stun[0]!, /^stun:localhost:\d+$/);
      const { port } = await serverAt(stun[0]);
      assert.ok(registrar.stun.some(({ address }) => address === "127.0.0.1"));
      const seen = await bindingOverTcp(net, { address: "127.0.0.1", port }, runtime);
      assert.equal(seen.address, "127.0.0.1");
    },
    "localhost",
  ),
);

test(
  "with two addresses and two ports it answers from the others, too",
  offered(
    { ...LOCAL, stun: { addresses: ["127.0.0.1", "127.0.0.2"], alternatePort: 0 } },
    async ({ stun }, { stun: locals }) => {
      assert.deepEqual(
        stun,
        [locals[0]!.port, locals[2]!.port].flatMap((port) => [
          `stun:127.0.0.1:${port}`,
          `stun:127.0.0.2:${port}`,
        ]),
      );
      const socket = await runtime.bindDatagram!({ address: "127.0.0.1" });
      const port = new StunPort(socket, runtime);
      socket.attach(port);
      const to = locals[0]!;
      const plain = await port.requests.request({ to, method: BINDING });
      assert.deepEqual(OTHER_ADDRESS.in(plain.message), locals[3]);
      const attributes = [CHANGE_REQUEST.of({ ip: true, port: true })];
      const changed = await port.requests.request({ to, method: BINDING, attributes });
      const { address, port: from } = changed.from;
      assert.deepEqual({ address, port: from }, locals[3]);
      socket.close();
    },
  ),
);

test(
  "STUN can be elsewhere, or nowhere",
  offered({ ...LOCAL, stun: { uris: ["stun:stun.example.org"] } }, async ({ stun }) => {
    assert.deepEqual(stun, ["stun:stun.example.org:3478"]);
    await offered({ ...LOCAL, stun: false }, (services, registrar) => {
      assert.deepEqual([services.stun, registrar.stun], [[], []]);
    })();
  }),
);

test(
  "TURN credentials name their end and are what the server's secret makes of the name",
  offered(
    { ...LOCAL, turn: { uris: ["turn:turn.example.org?transport=tcp"], secret: "north", lifetime: 600 } },
    ({ turn }) => {
      assert.equal(turn.length, 1);
      const { uris, username, password } = turn[0]!;
      assert.deepEqual(uris, ["turn:turn.example.org?transport=tcp"]);
      const [expiry, client] = username.split(":");
      const left = Number(expiry) - Date.now() / 1000;
      assert.ok(left > 540 && left <= 600, username);
      assert.match(client!, /^[0-9a-f]{8}-\d+$/);
      assert.equal(password, createHmac("sha1", "north").update(username).digest("base64"));
    },
  ),
);

test("both ends of a dialog are told where the registrar sees the other", () =>
  assertNothingLeft(async () => {
    const registrar = await createRegistrar(LOCAL);
    const [here, there] = [1, 2].map(() => new WebSocketSignaling({ url: registrar.url }));
    let accept: (dialog: Dialog) => void = () => {};
    const accepted = new Promise<Dialog>((resolve) => {
      accept = resolve;
    });
    const { address } = await there!.register({ transportType: "test", onDialog: accept });
    assert.equal((await here!.open(address, "test")).observedAddress, "127.0.0.1");
    assert.equal((await accepted).observedAddress, "127.0.0.1");
    for (const one of [here!, there!, registrar]) await one.close();
  }));

test("a port that is taken, over UDP or TCP, is told and leaves nothing open", () =>
  assertNothingLeft(async () => {
    const udp = createSocket("udp4");
    await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
    const tcp = net.createServer();
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    const taken = [udp.address().port, (tcp.address() as net.AddressInfo).port];
    for (const port of taken) {
      await assert.rejects(createRegistrar({ ...LOCAL, stun: { port } }), { code: "EADDRINUSE" });
    }
    udp.close();
    tcp.close();
  }));

test("wrong options are refused, without a secret in the message", async () => {
  const wrong: [object, string][] = [
    [{ stun: 7 }, "ERR_INVALID_ARG_TYPE"],
    [{ stun: { port: -1 } }, "ERR_SOCKET_BAD_PORT"],
    [{ stun: { addresses: ["0.0.0.0"] } }, "ERR_INVALID_ARG_VALUE"],
    [{ stun: { uris: ["turn:a"] } }, "ERR_INVALID_ARG_VALUE"],
    [{ turn: { uris: ["stun:a"], secret: "s3cret" } }, "ERR_INVALID_ARG_VALUE"],
    [{ turn: { uris: [], secret: "s3cret" } }, "ERR_INVALID_ARG_VALUE"],
    [{ turn: { uris: ["turn:a"], secret: ["s3cret"] } }, "ERR_INVALID_ARG_TYPE"],
    [{ turn: { uris: ["turn:a"], secret: "s3cret", lifetime: 0 } }, "ERR_OUT_OF_RANGE"],
  ];
  for (const [options, code] of wrong) {
    await assert.rejects(createRegistrar({ ...LOCAL, ...options }), (error: Error & { code: string }) => {
      assert.equal(error.code, code, error.message);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  }
});
