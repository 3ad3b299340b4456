import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { type Connection, connect, UtpNode } from "1tp/utp";
import { Wire } from "./wire.ts";

/** Resolves with when an emitter has closed, and what it emitted before. */
async function ending(wire: Wire, connection: Connection): Promise<{ at: number; events: string[] }> {
  const events: string[] = [];
  connection.on("timeout", () => events.push("timeout"));
  connection.on("error", (error: NodeJS.ErrnoException) => events.push(`${error.code}`));
  await new Promise((resolve) => connection.once("close", resolve));
  return { at: wire.now, events };
}

const TIMED_OUT = ["timeout", "ETIMEDOUT"];

describe("a dial of 1tp/utp to a silent peer", () => {
  for (const [options, expected] of [
    [{}, 5000],
    [{ timeout: 700 }, 700],
    [{ timeout: 60_000 }, 60_000],
  ] as const) {
    test(`is given up after ${expected} ms with ${JSON.stringify(options)}`, async () => {
      const wire = new Wire();
      await wire.play(async () => {
        wire.cut();
        const start = wire.now;
        const dialled = connect(7000, "10.0.0.2", { ...options, runtime: wire.alice.runtime });
        const { at, events } = await ending(wire, dialled);
        assert.deepEqual(events, TIMED_OUT);
        assert.ok(Math.abs(at - start - expected) <= 5, `${at - start}`);
      });
    });
  }

  test("is not given up with timeout 0", async () => {
    const wire = new Wire();
    await wire.play(async () => {
      wire.cut();
      const dialled = connect(7000, "10.0.0.2", { timeout: 0, runtime: wire.alice.runtime });
      await new Promise<void>((resolve) => wire.network.clock.setTimer(wire.now + 3_000_000, resolve));
      assert.ok(dialled.connecting);
      dialled.destroy();
      await once(dialled, "close");
    });
  });

  test("ends the connection without crash if only timeout is listened to, and leaves it to its listener", async () => {
    const wire = new Wire();
    await wire.play(async () => {
      wire.cut();
      const dialled = connect(7000, "10.0.0.2", { runtime: wire.alice.runtime });
      dialled.on("timeout", () => dialled.destroy());
      const hadError = await new Promise((resolve) => dialled.once("close", resolve));
      assert.equal(hadError, false);
    });
  });
});

describe("an established connection of 1tp/utp whose peer falls silent", () => {
  test("is given up half a minute after it owed an acknowledgement, on both sides", async () => {
    const wire = new Wire();
    await wire.play(async () => {
      const server = await wire.serve();
      const dialled = connect(7000, "10.0.0.2", { runtime: wire.alice.runtime });
      const [[accepted]] = await Promise.all([once(server, "connection"), once(dialled, "connect")]);
      wire.cut();
      const start = wire.now;
      const endings = [ending(wire, dialled), ending(wire, accepted)];
      dialled.write("lost");
      accepted.write("lost");
      for (const { at, events } of await Promise.all(endings)) {
        assert.deepEqual(events, TIMED_OUT);
        assert.ok(Math.abs(at - start - 30_000) < 2000, `${at - start}`);
      }
      server.close();
    });
  });

  test("of a node is given up after 6 s although nothing was written: asked after 1 s, patient for 5 s", async () => {
    const wire = new Wire();
    await wire.play(async () => {
      const server = await wire.serve({ keepAlive: false });
      const node = new UtpNode({ runtime: wire.alice.runtime }).bind();
      const dialled = await node.connectP(7000, "10.0.0.2");
      const heard: Connection[] = [];
      node.on("timeout", (connection) => heard.push(connection));
      server.on("connection", (accepted) => accepted.on("error", () => {}));
      wire.cut();
      const start = wire.now;
      const { at, events } = await ending(wire, dialled);
      assert.deepEqual(events, TIMED_OUT);
      assert.deepEqual(heard, [dialled]);
      assert.ok(Math.abs(at - start - 6000) < 500, `${at - start}`);
      await node.closeP();
      server.close();
    });
  });
});

describe("a node that closes", () => {
  test("gives a peer that does not end 5 s, then cuts it off", async () => {
    const wire = new Wire();
    await wire.play(async () => {
      const server = await wire.serve({ allowHalfOpen: true });
      const node = new UtpNode({ runtime: wire.alice.runtime }).bind();
      const dialled = node.connect(7000, "10.0.0.2");
      const [[accepted]] = await Promise.all([once(server, "connection"), once(dialled, "connect")]);
      accepted.on("error", () => {}).resume();
      const start = wire.now;
      const ended = once(accepted, "end").then(() => wire.now - start);
      await node.closeP();
      assert.ok((await ended) < 100, "the end comes at once");
      assert.ok(Math.abs(wire.now - start - 5000) < 200, `${wire.now - start}`);
      accepted.destroy();
      server.close();
    });
  });

  test("closes within one more round trip when the peer ends", async () => {
    const wire = new Wire({ latency: 100 });
    await wire.play(async () => {
      const server = await wire.serve({}, (connection) => connection.resume());
      const node = new UtpNode({ runtime: wire.alice.runtime }).bind();
      const dialled = await node.connectP(7000, "10.0.0.2");
      dialled.write("the last");
      const start = wire.now;
      await node.closeP();
      assert.ok(wire.now - start <= 450, `${wire.now - start}`);
      server.close();
    });
  });
});
