import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { TurnSocket } from "../../../src/host/turn-socket.ts";
import {
  CHANNEL_BIND,
  CREATE_PERMISSION,
  ICMP,
  REFRESH,
  XOR_PEER_ADDRESS,
} from "../../../src/turn/attributes.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { bytes, Inbox, PEER, SERVER, TurnScene } from "./scene.ts";

const MINUTE = 60_000;

function codeAndText({ closed }: Inbox): string {
  return `${codeOf(closed?.error)} ${closed?.error?.message}`;
}

/** Sends until the echo is there. */
async function converse(
  scene: TurnScene,
  socket: TurnSocket,
  inbox: Inbox,
  to: { address: string; port: number },
) {
  const before = inbox.texts.length;
  while (inbox.texts.length === before) {
    assert.equal(socket.send(bytes("hello"), to), "sent");
    await scene.pass(200);
  }
}

describe("an allocation", () => {
  it("has a relayed address that a permitted peer can use, and is given back", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      assert.equal(socket.local.address, SERVER);
      assert.equal(socket.reflexive?.address, "5.0.1.7");
      const inbox = new Inbox(socket);
      const peer = await scene.peer.runtime.bindDatagram!({ address: PEER, port: 9000 });
      const answers = new Inbox(peer);
      peer.send(bytes("too early"), socket.local);
      await scene.pass(100);
      assert.equal(model.dropped, 1);
      assert.equal(socket.send(bytes("too early"), peer.local), "EACCES");
      await socket.permit(PEER);
      peer.send(bytes("to you"), socket.local);
      await inbox.until(({ texts }) => texts.length === 1);
      assert.deepEqual([inbox.texts, inbox.from], [["to you"], [peer.local]]);
      for (let i = 0; i < 20; i++) {
        assert.equal(socket.send(bytes(`to you ${i}`), peer.local), "sent");
        await scene.pass(50);
      }
      assert.equal(answers.texts.length, 20);
      assert.deepEqual(new Set(answers.from.map(({ port }) => port)), new Set([socket.local.port]));
      assert.deepEqual([model.count(CHANNEL_BIND), model.dropped], [1, 1]);
      peer.send(bytes("by channel"), socket.local);
      await inbox.until(({ texts }) => texts.includes("by channel"));
      assert.equal(socket.drops.size, 0);
      socket.close();
      await socket.closed;
      assert.deepEqual([inbox.closed, model.allocations.size], [{ error: undefined }, 0]);
      assert.equal(socket.send(bytes("late"), peer.local), "EBADF");
      peer.close();
      model.stop();
    });
  });

  it("lasts for hours of silence and of talk, through a NAT that forgets in a minute", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      const inbox = new Inbox(socket);
      const echo = await scene.echo();
      await socket.permit(PEER);
      for (let minute = 0; minute < 240; minute++) {
        for (let i = 0; i < 3; i++) {
          socket.send(bytes("still there"), echo.local);
          await scene.pass(MINUTE / 3);
        }
      }
      assert.equal(inbox.texts.length, 720);
      assert.equal(model.dropped, 0);
      const asked = [REFRESH, CREATE_PERMISSION, CHANNEL_BIND].map((method) => model.count(method));
      // 4 h by 300, 240 and 480 s and some latency; the first one of the latter two is no refreshment.
      assert.deepEqual(asked, [47, 61, 30]);
      await scene.pass(120 * MINUTE);
      assert.equal(model.allocations.size, 1);
      // What nobody used has run out, and was not asked for again.
      assert.ok(model.count(CREATE_PERMISSION) <= 62 && model.count(CHANNEL_BIND) <= 32);
      assert.equal(socket.send(bytes("too late"), echo.local), "EACCES");
      await socket.permit(PEER);
      await converse(scene, socket, inbox, echo.local);
      socket.close();
      echo.close();
      await socket.closed;
      model.stop();
    });
  });

  it("does all of that whatever is lost", () =>
    forEachSeed(20, async (seed, trace) => {
      const scene = new TurnScene({ seed, loss: 0.05, trace });
      await scene.run(async () => {
        const model = await scene.model();
        const socket = await scene.allocate();
        const inbox = new Inbox(socket);
        const echo = await scene.echo();
        await socket.permit(PEER);
        for (let minute = 0; minute < 60; minute++) {
          await converse(scene, socket, inbox, echo.local);
          await scene.pass(MINUTE);
        }
        assert.equal(inbox.closed, undefined);
        socket.close();
        echo.close();
        await socket.closed;
        model.stop();
      });
    }));

  it("is kept by 1,000 clients at once for an hour, without missing one refreshment", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const sockets = await Promise.all(Array.from({ length: 1000 }, () => scene.allocate()));
      const inboxes = sockets.map((socket) => new Inbox(socket));
      await scene.pass(60 * MINUTE);
      assert.equal(model.allocations.size, 1000);
      assert.equal(inboxes.filter(({ closed }) => closed).length, 0);
      assert.ok(model.count(REFRESH) >= 11_000, `${model.count(REFRESH)}`);
      for (const socket of sockets) socket.close();
      await Promise.all(sockets.map((socket) => socket.closed));
      assert.equal(model.allocations.size, 0);
      model.stop();
    });
  });

  it("goes on when the nonce is stale, whatever it asks for", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      model.nonce = "second";
      await socket.permit(PEER);
      model.nonce = "third";
      await scene.pass(6 * MINUTE);
      assert.deepEqual([model.count(REFRESH, 438), model.count(REFRESH)], [1, 1]);
      model.nonce = "fourth";
      socket.close();
      await socket.closed;
      assert.equal(model.allocations.size, 0);
      model.stop();
    });
  });

  it("ends with the server's status when the server has forgotten it", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const sockets = [await scene.allocate(), await scene.allocate()] as const;
      const inboxes = sockets.map((socket) => new Inbox(socket));
      model.forget();
      await assert.rejects(sockets[0].permit(PEER), { code: "ERR_1TP_TURN_REFUSED", status: 437 });
      assert.equal(sockets[0].lost, true);
      await inboxes[1]!.until(({ closed }) => closed !== undefined);
      for (const { closed } of inboxes)
        assert.deepEqual(
          { ...closed!.error },
          { ...closed!.error, code: "ERR_1TP_TURN_REFUSED", status: 437 },
        );
      model.stop();
    });
  });

  it("ends when a server without it calls everything a bad request", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      const bad = (method: number) => (method === REFRESH ? undefined : { status: 400 });
      model.script = bad;
      await assert.rejects(socket.permit(PEER), { status: 400 });
      assert.deepEqual([socket.lost, model.count(REFRESH)], [false, 1]);
      model.forget();
      const both = [socket.permit(PEER), socket.permit("5.0.2.2")];
      for (const permit of both) await assert.rejects(permit, { status: 437 });
      assert.equal(socket.lost, true);
      model.stop();
    });
  });

  it("ends when the server is gone for longer than it lasts, and not before", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      const inbox = new Inbox(socket);
      model.script = () => "silence";
      await scene.pass(9.9 * MINUTE);
      assert.equal(inbox.closed, undefined);
      await scene.pass(0.2 * MINUTE);
      assert.match(`${codeAndText(inbox)}`, /TURN_REFUSED.*the allocation at 5\.0\.0\.1:3478 is over/);
      model.stop();
    });
  });

  it("survives a server that is silent for minutes", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      const inbox = new Inbox(socket);
      await scene.pass(4.9 * MINUTE);
      model.script = () => "silence";
      await scene.pass(4 * MINUTE);
      model.script = () => undefined;
      await scene.pass(30 * MINUTE);
      assert.equal(inbox.closed, undefined);
      assert.equal(model.allocations.size, 1);
      socket.close();
      await socket.closed;
      model.stop();
    });
  });

  it("notices within a keepalive that nobody listens at the server any more", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      const inbox = new Inbox(socket);
      const before = scene.network.clock.now();
      model.stop();
      await inbox.until(({ closed }) => closed !== undefined);
      assert.ok(scene.network.clock.now() - before < 26_000);
      assert.match(codeAndText(inbox), /ECONNREFUSED/);
    });
  });

  it("is given up in 2.5 s when the server does not answer its end", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      model.script = () => "silence";
      const before = scene.network.clock.now();
      socket.close();
      await socket.closed;
      assert.equal(scene.network.clock.now() - before, 2500);
      model.stop();
    });
  });

  it("tells who sends to a peer that nobody is there", async () => {
    const scene = new TurnScene();
    await scene.run(async () => {
      const model = await scene.model();
      const socket = await scene.allocate();
      const inbox = new Inbox(socket);
      await socket.permit(PEER);
      const client = socket.reflexive!;
      const remote = { address: PEER, port: 99 };
      model.indicate(client, [XOR_PEER_ADDRESS.of(remote), ICMP.of({ type: 3, code: 3 })]);
      await inbox.until(({ errors }) => errors.length === 1);
      assert.deepEqual(inbox.errors, ["ECONNREFUSED"]);
      socket.close();
      await socket.closed;
      model.stop();
    });
  });
});
