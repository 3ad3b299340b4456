import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { WebSocket } from "ws";
import { type CreateRegistrarOptions, createRegistrar } from "../../../signaling/registrar/index.ts";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";

const LOCAL = { host: "127.0.0.1", drainTimeout: 200 };

/** What is closed at the end of a test, last first. */
type Own = <T extends { close(): Promise<void> }>(thing: T) => T;

function check(fact: string, body: (own: Own) => Promise<void>): void {
  test(fact, { timeout: 30_000 }, () =>
    assertNothingLeft(async () => {
      const owned: { close(): Promise<void> }[] = [];
      try {
        await body((thing) => {
          owned.unshift(thing);
          return thing;
        });
      } finally {
        for (const thing of owned) await thing.close();
      }
    }),
  );
}

async function registered(signaling: WebSocketSignaling) {
  const accepted: Dialog[] = [];
  let wake: () => void = () => {};
  const registration = await signaling.register({
    transportType: "test",
    onDialog(dialog) {
      accepted.push(dialog);
      wake();
    },
  });
  const firstDialog = async (): Promise<DialogProbe> => {
    while (accepted.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return new DialogProbe(accepted[0]!);
  };
  return { registration, firstDialog };
}

/** One dialog between fresh clients of two URLs of the same registrar or cluster. */
async function converse(own: Own, url: string, other = url, token?: string): Promise<DialogProbe> {
  const options = token === undefined ? {} : { token };
  const { registration, firstDialog } = await registered(own(new WebSocketSignaling({ url, ...options })));
  const client = own(new WebSocketSignaling({ url: other, ...options }));
  const { uid } = registration.address;
  const near = new DialogProbe(await client.open({ type: "websocket-signaling", uid }, "test"));
  const far = await firstDialog();
  await near.dialog.send("there");
  assert.deepEqual(await far.received(1), ["there"]);
  await far.dialog.send("back");
  assert.deepEqual(await near.received(1), ["back"]);
  return near;
}

function rejectsWith(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  return assert.rejects(promise, (error: Error) => {
    assert.equal(codeOf(error), code, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** A bare WebSocket and how it ended. */
async function closeOf(socket: WebSocket): Promise<{ status: number; reason: string }> {
  const [status, reason] = await once(socket, "close");
  return { status, reason: `${reason}` };
}

const register = { transportType: "test", onDialog() {} };

describe("a registrar", () => {
  check("tells where it listens, its health and its figures", async (own) => {
    const registrar = own(await createRegistrar(LOCAL));
    const { address, port } = registrar.address();
    assert.equal(address, "127.0.0.1");
    assert.equal(registrar.url, `ws://127.0.0.1:${port}`);
    await converse(own, registrar.url);
    const http = registrar.url.replace("ws", "http");
    const get = async (path: string) => {
      const response = await fetch(http + path, { headers: { connection: "close" } });
      return [response.status, await response.text()] as const;
    };
    assert.deepEqual(await get("/healthz"), [200, "ok\n"]);
    assert.equal((await get("/elsewhere"))[0], 404);
    const [status, metrics] = await get("/metrics");
    assert.equal(status, 200);
    assert.match(metrics, /^onetp_registrar_connections 2$/m);
    assert.match(metrics, /^onetp_registrar_registrations 1$/m);
    assert.match(metrics, /^onetp_registrar_signals_total 2$/m);
    for (const line of metrics.trimEnd().split("\n")) {
      assert.match(line, /^(# TYPE [a-z_]+ (gauge|counter)|[a-z_]+(\{code="[a-z-]+"\})? \d+)$/);
    }
  });

  check("on every address goes by any own address and by localhost", async (own) => {
    const { port } = own(await createRegistrar({ drainTimeout: 200 })).address();
    await converse(own, `http://localhost:${port}/`, `ws://127.0.0.1:${port}`);
  });

  check("goes by its urls only when it is given some, and tells the first", async (own) => {
    const registrar = own(await createRegistrar({ ...LOCAL, urls: ["wss://signal.example.org/"] }));
    assert.equal(registrar.url, "wss://signal.example.org/");
    const client = own(new WebSocketSignaling({ url: `ws://127.0.0.1:${registrar.address().port}` }));
    await rejectsWith(client.register(register), "ERR_1TP_SIGNALING_REFUSED", /does not go by ws:\/\/127/);
  });

  check("serves over TLS", async (own) => {
    const { key, cert } = selfSigned("localhost");
    const registrar = own(await createRegistrar({ ...LOCAL, tls: { key, cert } }));
    const url = registrar.url.replace("127.0.0.1", "localhost");
    assert.match(url, /^wss:/);
    const socket = new WebSocket(url, { ca: cert });
    await once(socket, "open");
    socket.send('{"type":"hello","version":1}');
    assert.match(`${(await once(socket, "message"))[0]}`, /"type":"hello"/);
    socket.terminate();
    await once(socket, "close");
    const distrustful = own(new WebSocketSignaling({ url }));
    await rejectsWith(distrustful.register(register), "ERR_1TP_SIGNALING_REFUSED", /self-signed/);
  });

  check("asks for its token", async (own) => {
    const { url } = own(await createRegistrar({ ...LOCAL, token: "let me in" }));
    await converse(own, url, url, "let me in");
    for (const options of [{ url }, { url, token: "let me" }]) {
      const stranger = own(new WebSocketSignaling(options));
      await rejectsWith(stranger.register(register), "ERR_1TP_SIGNALING_REFUSED", /token/);
    }
  });

  check("is found by clients of another, which keep their token to themselves", async (own) => {
    const token = "let me in";
    const home = own(await createRegistrar({ ...LOCAL, token }));
    const client = own(new WebSocketSignaling({ url: home.url, token }));
    const open = own(await createRegistrar(LOCAL));
    const { registration, firstDialog } = await registered(own(new WebSocketSignaling({ url: open.url })));
    const near = await client.open(registration.address, "test");
    await near.send("hello");
    assert.deepEqual(await (await firstDialog()).received(1), ["hello"]);
    const guarded = own(await createRegistrar({ ...LOCAL, token }));
    const { address } = (await registered(own(new WebSocketSignaling({ url: guarded.url, token }))))
      .registration;
    await rejectsWith(client.open(address, "test"), "ERR_1TP_SIGNALING_REFUSED", /token/);
  });

  check("takes the client's address from a trusted proxy's entry, else from the socket", async (own) => {
    for (const [entry, trustProxy, expected] of [
      ["203.0.113.5", true, "203.0.113.5"],
      ["203.0.113.5", false, "127.0.0.1"],
      ["203.0.113.5:4711", true, "203.0.113.5"],
      ["2001:DB8:0::5", true, "2001:db8::5"],
      ["[2001:db8::5]:4711", true, "2001:db8::5"],
      ["unknown", true, "127.0.0.1"],
    ] as const) {
      const headers = { "x-forwarded-for": `198.51.100.7, ${entry}` };
      const { url } = own(await createRegistrar({ ...LOCAL, trustProxy }));
      const socket = new WebSocket(url, { headers });
      await once(socket, "open");
      socket.send('{"type":"hello","version":1}');
      const [hello] = await once(socket, "message");
      assert.equal(JSON.parse(`${hello}`).address, expected);
      socket.terminate();
      await once(socket, "close");
    }
  });

  check("shares a directory with another and forwards to it", async (own) => {
    const directory = new MemoryDirectory();
    const first = own(await createRegistrar({ ...LOCAL, directory }));
    const second = own(await createRegistrar({ ...LOCAL, directory }));
    await converse(own, first.url, second.url);
  });

  check("refuses a port in use with the code, and wrong options at once", async (own) => {
    const { port } = own(await createRegistrar(LOCAL)).address();
    await rejectsWith(createRegistrar({ ...LOCAL, port }), "EADDRINUSE", /./);
    const wrong: [unknown, string][] = [
      [{ port: 70_000 }, "ERR_SOCKET_BAD_PORT"],
      [{ urls: "ws://a" }, "ERR_INVALID_ARG_TYPE"],
      [{ urls: ["ftp://a"] }, "ERR_INVALID_ARG_VALUE"],
      [{ limits: { dialogs: 0 } }, "ERR_OUT_OF_RANGE"],
      [{ token: 7 }, "ERR_INVALID_ARG_TYPE"],
      [{ token: "" }, "ERR_OUT_OF_RANGE"],
      [{ token: "x".repeat(1_025) }, "ERR_OUT_OF_RANGE"],
      [{ drainTimeout: -1 }, "ERR_OUT_OF_RANGE"],
      [null, "ERR_INVALID_ARG_TYPE"],
    ];
    for (const [options, code] of wrong) {
      await rejectsWith(createRegistrar(options as CreateRegistrarOptions), code, /./);
    }
  });

  check("ends dialogs that outlast its drain, and half-open connections too", async (own) => {
    const registrar = await createRegistrar(LOCAL);
    const near = await converse(own, registrar.url);
    const mute = connect(registrar.address().port, "127.0.0.1");
    await once(mute, "connect");
    const ended = once(mute, "close");
    mute.resume();
    await Promise.all([registrar.close(), registrar.close(), ended]);
    assert.equal(codeOf(await near.closed()), "ECONNRESET");
    await rejectsWith(
      own(new WebSocketSignaling({ url: registrar.url })).register(register),
      "ECONNREFUSED",
      /./,
    );
  });

  check("that dies and comes back on its port has its clients again, under the same uids", async (own) => {
    const first = await createRegistrar({ ...LOCAL, drainTimeout: 0 });
    const { port } = first.address();
    const { registration, firstDialog } = await registered(own(new WebSocketSignaling({ url: first.url })));
    await first.close();
    const limits = { openRate: 100_000, openRatePerAddress: 100_000, messageRate: 100_000 };
    own(await createRegistrar({ ...LOCAL, port, limits }));
    const client = own(new WebSocketSignaling({ url: first.url }));
    let near: Dialog | undefined;
    while (!near) {
      near = await client.open(registration.address, "test").catch((error: unknown) => {
        assert.equal(codeOf(error), "ERR_1TP_PEER_OFFLINE");
        return undefined;
      });
    }
    await near.send("again");
    assert.deepEqual(await (await firstDialog()).received(1), ["again"]);
  });
});

/** A client without manners that has a dialog with each of two others. */
async function slowReader(own: Own, url: string) {
  const slow = new WebSocket(url);
  await once(slow, "open");
  slow.send('{"type":"hello","version":1}');
  const probes: DialogProbe[] = [];
  for (const dialog of [1, 2]) {
    const { registration, firstDialog } = await registered(own(new WebSocketSignaling({ url })));
    const { uid } = registration.address;
    slow.send(JSON.stringify({ type: "open", dialog, uid, transportType: "test" }));
    probes.push(await firstDialog());
  }
  const [flooding, calm] = probes as [DialogProbe, DialogProbe];
  return { slow, flooding, calm };
}

describe("nobody else notices", () => {
  check("garbage, binary and oversized frames, which end their connection", async (own) => {
    const { url } = own(await createRegistrar(LOCAL));
    const { registration, firstDialog } = await registered(own(new WebSocketSignaling({ url })));
    const near = await own(new WebSocketSignaling({ url })).open(registration.address, "test");
    const hostile: [string | Buffer, number][] = [
      ["no JSON", 1002],
      ['{"type":"ping"}', 1002],
      [Buffer.from([1, 2, 3]), 1002],
      ["x".repeat(40_000), 1009],
    ];
    for (const [frame, expected] of hostile) {
      const socket = new WebSocket(url);
      await once(socket, "open");
      socket.send(frame);
      assert.equal((await closeOf(socket)).status, expected);
    }
    const raw = connect(Number(new URL(url).port), "127.0.0.1");
    raw.write("\x16\x03\x01 no HTTP at all\r\n\r\n");
    raw.resume();
    await once(raw, "close");
    await near.send("still here");
    assert.deepEqual(await (await firstDialog()).received(1), ["still here"]);
  });

  check("a reader that does not read, which loses the dialog that floods it and no other", async (own) => {
    const limits = { bufferedBytes: 65_536, signalRate: 100_000, messageRate: 100_000 };
    const { url } = own(await createRegistrar({ ...LOCAL, limits }));
    const { slow, calm, flooding } = await slowReader(own, url);
    slow.pause();
    while (flooding.closes.length === 0) {
      for (let i = 0; i < 50; i++) await flooding.dialog.send("x".repeat(16_000)).catch(() => {});
      await setImmediate();
    }
    assert.equal(codeOf(flooding.closes[0]), "ERR_1TP_SIGNALING_LIMIT");
    await calm.dialog.send("patience");
    const told: string[] = [];
    slow.on("message", (data: Buffer) => told.push(data.toString()));
    slow.resume();
    while (!told.some((frame) => frame.endsWith('"patience"'))) await setImmediate();
    assert.ok(told.some((frame) => /"close","dialog":1,"code":"unread"/.test(frame)));
    assert.deepEqual(calm.closes, []);
    slow.send('{"type":"signal","dialog":2}\n"thanks"');
    assert.deepEqual(await calm.received(1), ["thanks"]);
    const ended = once(slow, "close");
    slow.terminate();
    await ended;
  });

  check("a reader that does not read what it asks for, which is cut off", async (own) => {
    const limits = { bufferedBytes: 65_536, signalRate: 100_000, messageRate: 1_000_000 };
    const { url } = own(await createRegistrar({ ...LOCAL, limits }));
    const { slow, calm, flooding } = await slowReader(own, url);
    const ended = once(slow, "close");
    slow.pause();
    while (calm.closes.length === 0) {
      for (let i = 0; i < 500; i++) slow.send('{"type":"services","request":1}');
      await setImmediate();
    }
    const errors = [await calm.closed(), await flooding.closed()];
    assert.deepEqual(errors.map(codeOf), ["ECONNRESET", "ECONNRESET"]);
    slow.terminate();
    await ended;
  });
});
