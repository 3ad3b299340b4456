import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { Clock } from "../../../src/contract/clock.ts";
import { net, type TurnTransportOptions } from "../../../src/index.ts";
import { runtime } from "../../../src/platform/node.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import type { Coturn, CoturnSetup } from "../stun/coturn.ts";
import { echoServer, greet, leave, startCoturn, startStrictCoturn, turnAt, WITHOUT_UDP } from "./scene.ts";

const DELETED = /session \d+: delete: realm/g;
const JOINED = /CONNECTION_BIND processed, success/g;
const WITHOUT = { runtime: WITHOUT_UDP };
/** What no server takes. */
const STRANGER = { turnPassword: "guess" };

async function coturnFor(
  t: TestContext,
  options: readonly string[] = [],
  setup: CoturnSetup = {},
): Promise<Coturn> {
  const coturn = await startCoturn(options, setup);
  t.after(() => coturn.stop());
  return coturn;
}

/** Of the relayed address that coturn gave last. */
function relayPort(coturn: Coturn): number {
  const relays = [...coturn.log.matchAll(/Local relay addr: 127\.0\.0\.1:(\d+)/g)];
  return Number(relays.at(-1)![1]);
}

describe("a dialler without UDP and without an account", () => {
  const tls = selfSigned("localhost");
  const overTls = { turnServer: "localhost", turnProtocol: "tls", turnCa: tls.cert } as const;
  const listeners: Record<string, Partial<TurnTransportOptions>> = {
    UDP: {},
    TCP: { turnProtocol: "tcp" },
    TLS: overTls,
  };
  for (const [name, options] of Object.entries(listeners)) {
    it(`reaches who listens over ${name}, and every allocation is freed`, async (t) => {
      const coturn = await coturnFor(t, [], { tls });
      const server = await echoServer(turnAt(coturn, options));
      const dial = () => greet(server, turnAt(coturn, { ...options, ...STRANGER }), WITHOUT);
      const sockets = await Promise.all([1, 2, 3].map(dial));
      for (const socket of sockets) {
        assert.equal(socket.transport, server.address()![0]!.transportType);
        assert.equal(typeof socket.remotePublicKey, "string");
      }
      assert.equal(coturn.log.match(JOINED)?.length, 3);
      await Promise.all(sockets.map(leave));
      await server.closeP();
      await coturn.logs(({ length }) => length === 2, DELETED);
    });
  }

  it("gets all that was sent before the end, either way", async (t) => {
    const coturn = await coturnFor(t);
    const sent = Buffer.alloc(3_000_000, "abcdefg");
    const heard: Buffer[] = [];
    const server = net.createServer([turnAt(coturn)], { allowHalfOpen: true }, (socket) => {
      socket.on("data", (chunk: Buffer) => heard.push(chunk));
      socket.on("end", () => socket.end(sent));
    });
    const info = await server.listenP();
    const options = { ...WITHOUT, allowHalfOpen: true };
    const socket = await new net.Socket([turnAt(coturn, STRANGER)], options).connectP(info);
    socket.end(sent);
    const answer: Buffer[] = [];
    for await (const chunk of socket) answer.push(chunk as Buffer);
    assert.ok(Buffer.concat(heard).equals(sent));
    assert.ok(Buffer.concat(answer).equals(sent));
    await server.closeP();
  });

  it("is told why where the server has no TCP allocations, and may use its own account", async (t) => {
    const coturn = await coturnFor(t, ["--no-tcp-relay"]);
    const server = await echoServer(turnAt(coturn));
    const stranger = greet(server, turnAt(coturn, STRANGER), WITHOUT);
    await assert.rejects(stranger, (error: Error & { status?: number }) => {
      assert.equal(codeOf(error), "ERR_1TP_TURN_REFUSED");
      assert.match(error.message, /by TCP to 127\.0\.0\.1: the listener's server said 442/);
      return true;
    });
    await leave(await greet(server, turnAt(coturn, { turnProtocol: "tcp" }), WITHOUT));
    await server.closeP();
  });

  it("is told the status of a permission that the server denies", async (t) => {
    const coturn = await startStrictCoturn();
    t.after(() => coturn.stop());
    const server = await echoServer(turnAt(coturn));
    const dial = greet(server, turnAt(coturn, STRANGER), WITHOUT);
    await assert.rejects(dial, (error: Error) => {
      assert.match(error.message, /by TCP to 127\.0\.0\.1: the listener's server said 403/);
      return true;
    });
    await server.closeP();
    await coturn.logs(({ length }) => length === 2, DELETED);
  });
});

describe("a TCP allocation", () => {
  it("outlives who connects and says what is not uTP", async (t) => {
    const coturn = await coturnFor(t);
    const server = await echoServer(turnAt(coturn));
    await leave(await greet(server, turnAt(coturn, STRANGER), WITHOUT));
    const stranger = connect(relayPort(coturn), "127.0.0.1");
    stranger.on("error", () => {}).resume();
    stranger.write(Buffer.alloc(4096, 0xff));
    await new Promise((resolve) => stranger.once("close", resolve));
    await leave(await greet(server, turnAt(coturn, STRANGER), WITHOUT));
    await server.closeP();
  });

  it("hangs up on who connects and says nothing for 10 s", async (t) => {
    const coturn = await coturnFor(t);
    const { clock } = runtime;
    const due: (() => void)[] = [];
    const setTimer: Clock["setTimer"] = (at, run) => {
      if (Math.round(at - clock.now()) === 10_000) due.push(run);
      return clock.setTimer(at, run);
    };
    const waiting = { ...runtime, clock: { ...clock, setTimer } };
    const server = net.createServer([turnAt(coturn)], { runtime: waiting }, (socket) => socket.pipe(socket));
    await server.listenP();
    await leave(await greet(server, turnAt(coturn, STRANGER), WITHOUT));
    due.length = 0;
    const stranger = connect(relayPort(coturn), "127.0.0.1");
    await coturn.logs(({ length }) => length === 2, JOINED);
    while (due.length === 0) await new Promise(setImmediate);
    for (const run of due) run();
    await new Promise((resolve) => stranger.on("error", () => {}).once("close", resolve));
    await server.closeP();
  });

  it("that is killed in mid-transfer ends what it carried with an error, and there is a new one for who dials then", async (t) => {
    const first = await startCoturn();
    const accepted: net.Socket[] = [];
    const server = net.createServer([turnAt(first)], (socket) => {
      accepted.push(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    await server.listenP();
    const socket = await greet(server, turnAt(first, STRANGER), WITHOUT);
    const pump = (): void => {
      while (!socket.destroyed && socket.write(new Uint8Array(65_536)));
    };
    let received = 0;
    const flowing = new Promise<void>((resolve) => {
      socket.on("data", ({ length }) => {
        received += length;
        if (received > 4_000_000) resolve();
      });
    });
    socket.on("drain", pump);
    pump();
    await flowing;
    const broken = Promise.all([once(socket, "error"), once(accepted[0]!, "error")]);
    await first.kill();
    for (const [error] of await broken) assert.equal(codeOf(error), "ECONNRESET");
    const second = await startCoturn([], { ports: first.ports });
    t.after(() => second.stop());
    await leave(await greet(server, turnAt(second, STRANGER), WITHOUT));
    await server.closeP();
    await second.logs(({ length }) => length === 1, DELETED);
  });
});
