import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import { crypto, runtime } from "#platform";
import { systemError } from "../../../../src/base/errors.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import { StunListener } from "../../../../src/host/stun-listener.ts";
import type { StunServers } from "../../../../src/host/stun-servers.ts";
import { CheckCodec, makeIdentity, makeTransactionId } from "../../../../src/nat/check.ts";
import { BindingResponder } from "../../../../src/stun/responder.ts";
import { HeldMapping } from "../../../../transports/tcp-punch/held-mapping.ts";
import { LinkSocket } from "../../../../transports/tcp-punch/link-socket.ts";
import { freePort, listenAnywhere, portOf } from "../../../../transports/tcp-punch/local-ports.ts";
import type { PunchParts } from "../../../../transports/tcp-punch/parts.ts";
import { PortSharing } from "../../../../transports/tcp-punch/port-sharing.ts";
import { PunchPorts } from "../../../../transports/tcp-punch/punch-ports.ts";
import { assertNothingLeft } from "../../../kit/leaks.ts";
import { VirtualClock } from "../../../kit/virtual-clock.ts";

const HOST = "127.0.0.1";

/** Both ends of a connection. */
async function connection(): Promise<readonly [net.Socket, net.Socket]> {
  const server = await listenAnywhere(net);
  const near = net.connect({ host: HOST, port: portOf(server), noDelay: true });
  const [[far]] = await Promise.all([once(server, "connection"), once(near, "connect")]);
  server.close();
  return [near, far];
}

function checks(count: number): Uint8Array[] {
  const random = seededRandom(1);
  const codec = new CheckCodec(crypto, makeIdentity(random));
  codec.meet(makeIdentity(random));
  return Array.from({ length: count }, () => codec.request(makeTransactionId(random))!);
}

/** What a link tells, until something has come of it. */
function listenTo(socket: net.Socket, onFrame: (frame: Uint8Array, link: LinkSocket) => void = () => {}) {
  const told: string[] = [];
  const gone = new Promise<void>((resolve) => {
    const link: LinkSocket = new LinkSocket(socket, {
      onOpen: () => told.push("open"),
      onFrame: (frame) => {
        told.push("frame");
        onFrame(frame, link);
      },
      onNonsense: () => {
        told.push("nonsense");
        link.close();
        resolve();
      },
      onGone: () => {
        told.push("gone");
        resolve();
      },
    });
  });
  return { told, gone };
}

describe("the socket of a link", () => {
  test("gives messages one by one, and away what follows the last one, all in one packet", () =>
    assertNothingLeft(async () => {
      const [near, far] = await connection();
      const [first, second] = checks(2);
      const frames: Uint8Array[] = [];
      const released = new Promise<net.Socket>((resolve) => {
        listenTo(far, (frame, link) => {
          frames.push(frame.slice());
          if (frames.length === 2) resolve(link.release());
        });
      });
      near.end(Buffer.concat([first!, second!, Buffer.from("hello")]));
      const socket = await released;
      assert.deepEqual(frames, [first, second]);
      let text = "";
      for await (const chunk of socket) text += chunk;
      assert.equal(text, "hello");
      near.destroy();
      socket.destroy();
    }));

  test("puts a message together whose bytes come one by one", () =>
    assertNothingLeft(async () => {
      const [near, far] = await connection();
      const [only] = checks(1);
      const { told, gone } = listenTo(far, (frame) => {
        assert.deepEqual(frame.slice(), only);
        near.destroy();
      });
      for (const byte of only!) {
        near.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      await gone;
      assert.deepEqual(told, ["frame", "gone"]);
    }));

  for (const [what, bytes] of [
    ["another protocol", Buffer.from("220 mail.example ESMTP\r\n")],
    ["a message that is too long", Buffer.from([0, 1, 4, 0, 0x21, 0x12, 0xa4, 0x42])],
  ] as const) {
    test(`tells ${what} from messages at its first bytes`, () =>
      assertNothingLeft(async () => {
        const [near, far] = await connection();
        const { told, gone } = listenTo(far);
        near.on("error", () => {}).write(bytes);
        await gone;
        assert.deepEqual(told, ["nonsense"]);
        near.destroy();
      }));
  }

  test("tells once that nobody is there", () =>
    assertNothingLeft(async () => {
      const { told, gone } = listenTo(net.connect({ host: HOST, port: await freePort(net) }));
      await gone;
      assert.deepEqual(told, ["gone"]);
    }));
});

describe("the mapping of a port", () => {
  const stun = (port: number): StunServers =>
    ({ addresses: async () => [{ address: HOST, port }] }) as Partial<StunServers> as StunServers;

  test("is what servers see, of that very port, and is held until it is let go", () =>
    assertNothingLeft(async () => {
      const server = await StunListener.listen(
        net,
        { address: HOST, port: 0 },
        new BindingResponder(),
        runtime,
      );
      const port = await freePort(net);
      const mapping = new HeldMapping(net, port, runtime, true);
      const sightings = await mapping.ask(stun(server.local.port));
      assert.deepEqual(sightings, [{ server: server.local, local: port, mapped: { address: HOST, port } }]);
      const peer = await listenAnywhere(net);
      const second = net.connect({ host: HOST, port: portOf(peer), localPort: port });
      const [accepted] = await once(peer, "connection");
      assert.equal(accepted.remotePort, port);
      for (const socket of [second, accepted]) socket.destroy();
      peer.close();
      mapping.close();
      mapping.close();
      await server.close();
    }));

  test("stays unknown where a server accepts and says nothing, after a second and a half", () =>
    assertNothingLeft(async () => {
      const silent = await listenAnywhere(net);
      const clock = new VirtualClock();
      const mapping = new HeldMapping(net, await freePort(net), { ...runtime, clock }, true);
      const accepted = once(silent, "connection");
      const sightings = mapping.ask(stun(portOf(silent)));
      const [socket] = (await accepted) as [net.Socket];
      let known = false;
      void sightings.then(() => {
        known = true;
      });
      await clock.advanceAsync(1499);
      assert.equal(known, false);
      await clock.advanceAsync(1);
      assert.deepEqual(await sightings, []);
      const ended = once(socket.resume(), "end");
      mapping.close();
      await ended;
      socket.destroy();
      silent.close();
    }));

  test("is asked for no more once it is let go", () =>
    assertNothingLeft(async () => {
      const mapping = new HeldMapping(net, await freePort(net), runtime, true);
      const sightings = mapping.ask(stun(1));
      mapping.close();
      assert.deepEqual(await sightings, []);
    }));
});

describe("the ports of a punch", () => {
  const nobody = { addresses: async () => [] } as Partial<StunServers> as StunServers;
  const parts = { net, stun: nobody } as unknown as PunchParts;

  /** Whether somebody who connects to that port is let in, refused or sent away. */
  async function visit(ports: PunchPorts, port: number): Promise<string> {
    const visitor = net.connect({ host: HOST, port }).on("error", () => {});
    return new Promise((resolve) => {
      ports.onConnection = (socket) => {
        socket.destroy();
        resolve("in");
      };
      visitor.once("close", (failed) => resolve(failed ? "refused" : "out"));
    });
  }

  test("let in who comes to the one that listens, and to the shared one only once it waits there", () =>
    assertNothingLeft(async () => {
      const ports = await PunchPorts.open(parts, runtime, true);
      const [listening, host] = ports.candidates;
      assert.deepEqual([listening?.kind, host?.kind, host?.port], ["listening", "host", ports.shared]);
      assert.deepEqual(
        [await visit(ports, listening!.port), await visit(ports, ports.shared)],
        ["in", "refused"],
      );
      const peer = await listenAnywhere(net);
      const kept = net.connect({ host: HOST, port: portOf(peer), localPort: ports.shared });
      const [[accepted]] = await Promise.all([once(peer, "connection"), once(kept, "connect")]);
      await ports.await();
      assert.equal(await visit(ports, ports.shared), "in");
      for (const socket of [kept, accepted]) socket.destroy();
      peer.close();
      ports.close();
      assert.deepEqual(
        [await visit(ports, listening!.port), await visit(ports, ports.shared)],
        ["refused", "refused"],
      );
      assert.deepEqual(await ports.sightings, []);
    }));

  test("are not opened again after they were closed", () =>
    assertNothingLeft(async () => {
      const ports = await PunchPorts.open(parts, runtime, true);
      const waiting = ports.await();
      ports.close();
      await waiting;
      await ports.await();
      ports.close();
    }));
});

describe("whether connections may share a port", () => {
  /** `net` whose n-th connection fails with that code. */
  const failing = (count: number, code: string): typeof net => {
    let connections = 0;
    const connect = (options: net.TcpNetConnectOpts): net.Socket => {
      if (++connections !== count) return net.connect(options);
      const socket = new net.Socket();
      return socket.destroy(systemError(code, "bind", HOST, options.localPort));
    };
    return { ...net, connect } as typeof net;
  };

  test("is found out by trying, once", () =>
    assertNothingLeft(async () => {
      const sharing = new PortSharing();
      assert.equal(sharing.refused, false);
      assert.equal(await sharing.settle(net, runtime.clock), true);
      assert.equal(await sharing.settle(failing(2, "EADDRINUSE"), runtime.clock), true);
    }));

  test("is denied where the second one is not let, and not for any other reason", () =>
    assertNothingLeft(async () => {
      for (const [count, code, refused] of [
        [2, "EADDRINUSE", true],
        [1, "EADDRINUSE", false],
        [2, "EACCES", false],
      ] as const) {
        const sharing = new PortSharing();
        assert.equal(
          await sharing.settle(failing(count, code), runtime.clock),
          !refused,
          `${code} for number ${count}`,
        );
        assert.equal(sharing.refused, refused);
      }
    }));
});
