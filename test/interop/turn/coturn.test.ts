import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import { codeOf } from "../../../src/base/errors.ts";
import { net, TcpTransport } from "../../../src/index.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { Coturn } from "../stun/coturn.ts";
import { echoServer, greet, leave, startCoturn, startStrictCoturn, turnAt, USER } from "./scene.ts";

/** What coturn says when it gives up an allocation. */
const DELETED = /session \d+: delete: realm/g;
const ALLOCATED = /new, realm/g;

async function coturnFor(t: TestContext, starting: Promise<Coturn>): Promise<Coturn> {
  const coturn = await starting;
  t.after(() => coturn.stop());
  return coturn;
}

function statusOf(error: unknown): unknown {
  return (error as { status?: number }).status;
}

describe("net over turn at coturn", () => {
  for (const turnProtocol of ["udp", "tcp"] as const) {
    it(`carries sessions over ${turnProtocol}, and coturn sees every allocation freed`, async (t) => {
      const coturn = await coturnFor(t, startCoturn());
      const server = await echoServer(turnAt(coturn, { turnProtocol }));
      const info = server.address()!;
      assert.equal(info[0]!.transportType, `turn-${turnProtocol}`);
      const sockets = await Promise.all([1, 2, 3].map(() => greet(server, turnAt(coturn, { turnProtocol }))));
      assert.equal(sockets[0]!.transport, `turn-${turnProtocol}`);
      assert.equal(typeof sockets[0]!.remotePublicKey, "string");
      await Promise.all(sockets.map(leave));
      await server.closeP();
      await coturn.logs(({ length }) => length === 1, DELETED);
      assert.equal(coturn.log.match(ALLOCATED)?.length, 1, "only the listener allocates");
    });
  }

  it("tells nobody its credentials, nor its server's address but in sealed dialogs", async (t) => {
    const coturn = await coturnFor(t, startCoturn());
    const transport = turnAt(coturn);
    const server = await echoServer(transport);
    const socket = await greet(server, transport);
    const deep = { depth: 20, showHidden: true };
    const texts = [server.address(), socket.report, socket.remoteAddress, socket, server, transport].map(
      (value) => inspect(value, deep),
    );
    for (const text of texts) assert.equal(text.includes(USER.turnPassword), false, text);
    assert.equal(JSON.stringify(server.address()).includes(`${coturn.ports[0]}`), false);
    await leave(socket);
    await server.closeP();
  });

  it("carries sessions over TLS, and believes no certificate that nobody vouches for", async (t) => {
    const tls = selfSigned("localhost");
    const coturn = await coturnFor(t, startCoturn([], { tls }));
    const secure = { turnServer: "localhost", turnProtocol: "tls" } as const;
    const transport = turnAt(coturn, { ...secure, turnCa: tls.cert });
    const server = await echoServer(transport);
    assert.equal(server.address()![0]!.transportType, "turn-tls");
    await leave(await greet(server, transport));
    await server.closeP();
    await assert.rejects(echoServer(turnAt(coturn, secure)), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    const byNumber = { ...secure, turnServer: "127.0.0.1", turnCa: tls.cert };
    await assert.rejects(echoServer(turnAt(coturn, byNumber)), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("takes a URI, and credentials made from a shared secret", async (t) => {
    const options = [
      "--use-auth-secret",
      "--static-auth-secret",
      "shared",
      "-r",
      "here",
      "--allow-loopback-peers",
    ];
    const coturn = await coturnFor(t, Coturn.start(options));
    const uri = `turn:127.0.0.1:${coturn.ports[0]}?transport=tcp`;
    const rest = { turnServer: uri, turnSecret: "shared", turnUsername: "bob" };
    const transport = turnAt(coturn, rest);
    const server = await echoServer(transport);
    await leave(await greet(server, transport));
    await server.closeP();
    assert.match(coturn.log, /username=<\d{10}:bob>/);
    await assert.rejects(echoServer(turnAt(coturn, { ...rest, turnSecret: "guess" })), { status: 401 });
  });

  it("follows a server that names another", async (t) => {
    const other = await coturnFor(t, startCoturn());
    const alternate = ["--alternate-server", `127.0.0.1:${other.ports[0]}`];
    const coturn = await coturnFor(t, startCoturn(alternate));
    const server = await echoServer(turnAt(coturn));
    await leave(await greet(server, turnAt(coturn)));
    await server.closeP();
    await other.logs(({ length }) => length === 1, DELETED);
  });

  it("refreshes its allocation, and goes on when coturn's nonce is stale", async (t) => {
    // The lifetime is what coturn says the first time; nonces last for a second.
    const coturn = await coturnFor(t, startCoturn(["--max-allocate-lifetime=2", "--stale-nonce=1"]));
    const server = await echoServer(turnAt(coturn));
    await coturn.logs(({ length }) => length >= 1, /refreshed, realm=<here>, username=<us>/g);
    while (!/error 438/.test(coturn.log)) await leave(await greet(server, turnAt(coturn)));
    await leave(await greet(server, turnAt(coturn)));
    await server.closeP();
    await coturn.logs(({ length }) => length === 1, DELETED);
  });
});

describe("coturn's refusals", () => {
  it("fail listening with its status: wrong password, unknown user, quota", async (t) => {
    const coturn = await coturnFor(t, startCoturn(["--user-quota", "1"]));
    const refused = { code: "ERR_1TP_TURN_REFUSED" };
    const wrong = turnAt(coturn, { turnPassword: "guess" });
    await assert.rejects(echoServer(wrong), { ...refused, status: 401 });
    const unknown = turnAt(coturn, { turnUsername: "them" });
    await assert.rejects(echoServer(unknown), (error) => [401, 441].includes(Number(statusOf(error))));
    const server = await echoServer(turnAt(coturn));
    await assert.rejects(echoServer(turnAt(coturn)), { ...refused, status: 486 });
    await server.closeP();
    await coturn.logs(({ length }) => length >= 1, DELETED);
    const again = await echoServer(turnAt(coturn));
    await again.closeP();
  });

  it("of a permission fail the dial at once with its status, and other transports are tried", async (t) => {
    const coturn = await coturnFor(t, startStrictCoturn());
    const transport = turnAt(coturn);
    const server = net.createServer([transport, new TcpTransport()], (socket) => socket.pipe(socket));
    const info = await server.listenP();
    const turnOnly = new net.Socket([transport]);
    await assert.rejects(turnOnly.connectP(info), (error) => {
      const { cause } = error as { cause?: { errors: unknown[] } };
      const [attempt] = cause?.errors ?? [];
      assert.equal(codeOf(error), "ERR_1TP_TURN_REFUSED");
      assert.deepEqual([codeOf(attempt), statusOf(attempt)], ["ERR_1TP_TURN_REFUSED", 403]);
      return true;
    });
    const both = new net.Socket([turnAt(coturn, { cost: 1 }), new TcpTransport()], {
      scheduler: "sequential",
    });
    await both.connectP(info);
    assert.equal(both.transport, "tcp");
    assert.deepEqual(
      both.report.map(({ outcome }) => outcome),
      ["failed", "won", "planned"].slice(0, both.report.length),
    );
    await leave(both);
    await server.closeP();
    await coturn.logs((matches) => matches.length === coturn.log.match(ALLOCATED)?.length, DELETED);
  });

  it("by silence end listening in 5 s", async (t) => {
    const coturn = await startCoturn();
    await coturn.stop();
    t.diagnostic(`nobody at ${coturn.ports[0]}`);
    await assert.rejects(echoServer(turnAt(coturn)), { code: "ECONNREFUSED" });
    await assert.rejects(echoServer(turnAt(coturn, { turnProtocol: "tcp" })), { code: "ECONNREFUSED" });
  });
});

describe("a coturn that is killed in mid-transfer and started again", () => {
  for (const turnProtocol of ["udp", "tcp"] as const) {
    it(`ends what it carried over ${turnProtocol} with an error, and carries what is dialled then`, async (t) => {
      const setup = { turnProtocol };
      const first = await startCoturn();
      const accepted: net.Socket[] = [];
      const server = net.createServer([turnAt(first, setup)], (socket) => {
        accepted.push(socket);
        socket.on("error", () => {});
        socket.pipe(socket);
      });
      await server.listenP();
      const socket = await greet(server, turnAt(first, setup));
      const pump = (): void => {
        while (!socket.destroyed && socket.write(new Uint8Array(65_536)));
      };
      socket.on("drain", pump).on("error", () => {});
      let received = 0;
      const flowing = new Promise<void>((resolve) => {
        socket.on("data", ({ length }) => {
          received += length;
          if (received > 4_000_000) resolve();
        });
      });
      pump();
      await flowing;
      const broken = once(accepted[0]!, "error");
      await first.kill();
      const [error] = await broken;
      assert.match(`${codeOf(error)}`, /^(ECONNREFUSED|ECONNRESET|ERR_1TP_TURN_REFUSED)$/);
      const second = await startCoturn([], { ports: first.ports });
      t.after(() => second.stop());
      await leave(await greet(server, turnAt(second, setup)));
      socket.destroy();
      await server.closeP();
      await second.logs(({ length }) => length === 1, DELETED);
    });
  }

  it("over UDP notices a restart that it slept through with the next dial", async (t) => {
    const first = await startCoturn();
    const server = await echoServer(turnAt(first));
    await first.kill();
    const second = await startCoturn([], { ports: first.ports });
    t.after(() => second.stop());
    await leave(await greet(server, turnAt(second)));
    assert.match(second.log, /437/);
    await server.closeP();
  });
});
