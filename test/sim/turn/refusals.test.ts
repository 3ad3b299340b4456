import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ALLOCATE,
  CHANNEL_BIND,
  CREATE_PERMISSION,
  UNSUPPORTED_FAMILY,
} from "../../../src/turn/attributes.ts";
import { MODEL_USER } from "../../kit/turn-model.ts";
import { bytes, Inbox, OTHER_SERVER, PEER, SERVER, TurnScene } from "./scene.ts";

describe("a server that does not allocate", () => {
  const cases = [
    ["the password is wrong", 401, {}],
    ["the quota is reached", 486, {}],
    ["there is no capacity", 508, {}],
    ["allocating is forbidden", 403, {}],
  ] as const;

  for (const [why, status] of cases) {
    it(`says ${status} when ${why}`, async () => {
      const scene = new TurnScene();
      await scene.run(async () => {
        const model = await scene.model();
        const user = { ...MODEL_USER, ...(status === 401 ? { password: "guess" } : {}) } as typeof MODEL_USER;
        if (status !== 401) model.script = (method) => (method === ALLOCATE ? { status } : undefined);
        await assert.rejects(scene.allocate({ user }), (error: Error) => {
          assert.deepEqual({ ...error }, { ...error, code: "ERR_1TP_TURN_REFUSED", status });
          assert.equal(error.message.includes("guess") || error.message.includes(MODEL_USER.password), false);
          return true;
        });
        model.stop();
      });
    });
  }

  it("says 440 when it has not that family", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      await assert.rejects(scene.allocate({ family: 6 }), { status: UNSUPPORTED_FAMILY });
      model.stop();
    });
  });

  it("is given up after 5 s of silence, and at once where nobody listens", async () => {
    const scene = new TurnScene();
    const { clock } = scene.network;
    await scene.run(async () => {
      const model = await scene.model();
      model.script = () => "silence";
      const before = clock.now();
      await assert.rejects(scene.allocate(), { code: "ETIMEDOUT", address: SERVER, port: 3478 });
      assert.equal(clock.now() - before, 5000);
      await assert.rejects(scene.allocate({ host: OTHER_SERVER }), { code: "ECONNREFUSED" });
      assert.ok(clock.now() - before < 5100);
      model.stop();
    });
  });

  it("may name another one, which is asked instead", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const [first, second] = [await scene.model(), await scene.model(OTHER_SERVER)];
      first.script = (method) => (method === ALLOCATE ? { status: 300, alternate: second.local } : undefined);
      const socket = await scene.allocate();
      assert.equal(socket.local.address, OTHER_SERVER);
      socket.close();
      await socket.closed;
      second.script = (method) => (method === ALLOCATE ? { status: 300, alternate: first.local } : undefined);
      await assert.rejects(scene.allocate(), { code: "ERR_1TP_TURN_REFUSED", status: 300 });
      first.stop();
      second.stop();
    });
  });

  it("may know our port from somebody before us: another port is tried", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      model.script = (method) =>
        method === ALLOCATE && model.count(ALLOCATE, 437) < 2 ? { status: 437 } : undefined;
      const socket = await scene.allocate();
      const ports = new Set(model.records.map(({ client }) => client.port));
      assert.equal(ports.size, 3);
      socket.close();
      await socket.closed;
      model.stop();
    });
  });
});

describe("a permission", () => {
  it("that is refused says so, and holds up no other", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      model.script = (method) => (method === CREATE_PERMISSION ? { status: 403 } : undefined);
      await assert.rejects(socket.permit(PEER), { code: "ERR_1TP_TURN_REFUSED", status: 403 });
      model.script = () => undefined;
      await assert.rejects(socket.permit("2001:db8::1"), { status: 443 });
      await Promise.all([socket.permit(PEER), socket.permit(PEER), socket.permit("5.0.2.2")]);
      assert.equal(model.count(CREATE_PERMISSION), 2);
      socket.close();
      await assert.rejects(socket.permit(PEER), { code: "ERR_1TP_TURN_REFUSED" });
      await socket.closed;
      model.stop();
    });
  });

  it("without a channel still lets datagrams through", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      model.script = (method) => (method === CHANNEL_BIND ? { status: 400 } : undefined);
      const socket = await scene.allocate();
      const inbox = new Inbox(socket);
      const echo = await scene.echo();
      await socket.permit(PEER);
      for (let i = 0; i < 30; i++) {
        socket.send(bytes("again"), echo.local);
        await scene.pass(100);
      }
      assert.deepEqual([inbox.texts.length, model.count(CHANNEL_BIND, 400)], [30, 1]);
      socket.close();
      echo.close();
      await socket.closed;
      model.stop();
    });
  });
});
