import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionOptions, connect, createServer, Server, UtpNode } from "1tp/utp";
import { close } from "./loopback.ts";

/** What a caller without types may pass. */
type Loose = (...given: unknown[]) => unknown;

const TYPE = "ERR_INVALID_ARG_TYPE";
const RANGE = "ERR_OUT_OF_RANGE";
const VALUE = "ERR_INVALID_ARG_VALUE";

/** Options that no connection can have, and the code each is refused with. */
const WRONG_OPTIONS: readonly (readonly [
  Readonly<Record<keyof ConnectionOptions, unknown>> | object,
  string,
])[] = [
  [{ allowHalfOpen: 1 }, TYPE],
  [{ objectMode: "yes" }, TYPE],
  [{ noDelay: null }, TYPE],
  [{ highWaterMark: "9" }, TYPE],
  [{ highWaterMark: -1 }, RANGE],
  [{ timeout: "5000" }, TYPE],
  [{ timeout: -1 }, RANGE],
  [{ timeout: Number.NaN }, RANGE],
  [{ timeout: 2 ** 31 }, RANGE],
  [{ keepAlive: "1000" }, TYPE],
  [{ keepAlive: -1 }, RANGE],
  [{ keepAlive: Number.NaN }, RANGE],
  [{ bufferSize: 0 }, RANGE],
  [{ bufferSize: 1.5 }, RANGE],
  [{ bufferSize: "64" }, TYPE],
  [{ mtu: 299 }, RANGE],
  [{ mtu: Number.POSITIVE_INFINITY }, RANGE],
  [{ resend: -1 }, RANGE],
  [{ resend: "100" }, TYPE],
  [{ congestion: 5 }, TYPE],
  [{ congestion: "hope" }, VALUE],
  [{ runtime: 5 }, TYPE],
];

/** Options that only a dialler has. */
const WRONG_DIAL_OPTIONS: readonly (readonly [object, string])[] = [
  [{ data: 5 }, TYPE],
  [{ data: ["bytes"] }, TYPE],
  [{ objectMode: true, data: Object.assign(Buffer.from("x"), { meta: 5 }) }, TYPE],
  [{ objectMode: true, data: Object.assign(Buffer.from("x"), { meta: "m".repeat(256) }) }, RANGE],
  [{ signal: "stop" }, TYPE],
];

/** A name for what is passed. */
function words(given: unknown): string {
  return typeof given === "object" && given !== null
    ? `{ ${Object.entries(given).map(([key, value]) => `${key}: ${typeof value === "object" ? typeof value : String(value).slice(0, 10)}`)} }`
    : String(given);
}

describe("wrong options are refused at once", () => {
  for (const [options, code] of WRONG_OPTIONS) {
    test(`${words(options)} with ${code}`, () => {
      const wrong = options as ConnectionOptions;
      assert.throws(() => createServer(wrong), { code });
      assert.throws(() => new UtpNode(wrong), { code });
      assert.throws(() => connect(80, "127.0.0.1", wrong), { code });
      assert.throws(() => createServer().connectAddr(80, "127.0.0.1", wrong), { code });
      assert.throws(() => createServer().connect(80, "127.0.0.1", wrong, () => {}), { code });
      if ("runtime" in options) return;
      assert.throws(
        () => {
          createServer().connectionOptions = wrong;
        },
        { code },
      );
    });
  }

  for (const [options, code] of WRONG_DIAL_OPTIONS) {
    test(`${words(options)} of a dial with ${code}`, () => {
      assert.throws(() => connect(80, "127.0.0.1", options), { code });
      assert.throws(() => createServer().connectAddr(80, "127.0.0.1", options), { code });
    });
  }

  test("what is no object at all", () => {
    for (const wrong of [5, "options", true]) {
      assert.throws(() => (createServer as Loose)(wrong), { code: TYPE });
      assert.throws(() => new (UtpNode as never as new (given: unknown) => UtpNode)(wrong), { code: TYPE });
      assert.throws(() => (connect as Loose)(80, "127.0.0.1", undefined, wrong), { code: TYPE });
      assert.throws(
        () => {
          new Server().connectionOptions = wrong as never;
        },
        { code: TYPE },
      );
    }
    assert.throws(() => (createServer as Loose)({ pauseOnConnect: 1 }), { code: TYPE });
    assert.throws(() => (createServer as Loose)({ signal: 1 }), { code: TYPE });
  });
});

describe("wrong arguments are refused at once", () => {
  const server = new Server() as unknown as Record<string, Loose>;
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["connect without port", () => (connect as Loose)(), TYPE],
    ["connect to an object", () => (connect as Loose)({}), TYPE],
    ["connect to a host that is a number", () => (connect as Loose)(80, 80), TYPE],
    [
      "connect by a third kind of socket",
      () => (connect as Loose)(80, "127.0.0.1", "udp5"),
      "ERR_SOCKET_BAD_TYPE",
    ],
    ["connect with too much", () => (connect as Loose)(80, "127.0.0.1", "udp4", {}, {}), TYPE],
    ["listen on a port that is an object", () => server.listen!({}), TYPE],
    ["listen on a socket that is none", () => server.listen!(0, {}), TYPE],
    ["listen with a callback that is none", () => server.listen!(0, "udp4", "callback"), TYPE],
    ["close with a callback that is none", () => server.close!("callback"), TYPE],
    ["getConnections without callback", () => server.getConnections!(), TYPE],
    ["server.connect without callback", () => server.connect!(80, "127.0.0.1"), TYPE],
    ["server.connect from a kind of socket", () => server.connect!(80, "127.0.0.1", "udp4", () => {}), TYPE],
    ["connectAddr without address", () => server.connectAddr!(80), TYPE],
    ["connectAddr without port", () => server.connectAddr!(undefined, "127.0.0.1"), TYPE],
  ];
  for (const [name, call, code] of cases) {
    test(name, () => assert.throws(call, { code }));
  }

  test("maxConnections that is no count", () => {
    const { maxConnections } = new Server();
    assert.equal(maxConnections, undefined);
    for (const [value, code] of [
      ["2", TYPE],
      [-1, RANGE],
      [Number.NaN, RANGE],
    ] as const) {
      assert.throws(() => Object.assign(new Server(), { maxConnections: value }), { code });
      assert.throws(() => Object.assign(new UtpNode(), { maxConnections: value }), { code });
    }
  });

  test("a second listen of a server", async () => {
    const listening = createServer().listen(0, "127.0.0.1");
    assert.throws(() => listening.listen(), { code: "ERR_SERVER_ALREADY_LISTEN" });
    await close(listening);
  });
});

describe("a node refuses at once", () => {
  const loose = (): Record<string, Loose> => new UtpNode() as never;
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["bind to a port that is an object", () => loose().bind!({}), TYPE],
    ["bind to a host that is a number", () => loose().bind!(0, 1), TYPE],
    ["bind with a callback that is none", () => loose().bind!(0, "127.0.0.1", "callback"), TYPE],
    ["listen with a callback that is none", () => loose().listen!("callback"), TYPE],
    ["connect without port", () => loose().connect!(), TYPE],
    ["connect to a host that is a number", () => loose().connect!(80, 1), TYPE],
    ["connect with a callback that is none", () => loose().connect!(80, "127.0.0.1", "callback"), TYPE],
    ["punch without attempts", () => loose().punch!(), TYPE],
    ["punch with half an attempt", () => loose().punch!(0.5, 80), RANGE],
    ["punch with less than no attempt", () => loose().punch!(-1, 80), RANGE],
    ["punch to a port that is an object", () => loose().punch!(1, {}), TYPE],
    ["punch to port 0", () => loose().punch!(1, 0), "ERR_SOCKET_BAD_PORT"],
    ["punch to port 65536", () => loose().punch!(1, 65_536), "ERR_SOCKET_BAD_PORT"],
    ["punch to a host that is a number", () => loose().punch!(1, 80, 1), TYPE],
    ["punch with a callback that is none", () => loose().punch!(1, 80, "127.0.0.1", "callback"), TYPE],
    ["close with a callback that is none", () => loose().close!("callback"), TYPE],
  ];
  for (const [name, call, code] of cases) {
    test(name, () => assert.throws(call, { code }));
  }

  test("a second bind and a second listen, before and after the first are done", async () => {
    const node = new UtpNode();
    const again = (): void => {
      assert.throws(() => node.bind(), { code: "ERR_SOCKET_ALREADY_BOUND" });
      assert.throws(() => node.listen(), { code: "ERR_SERVER_ALREADY_LISTEN" });
    };
    node.bind(0, "127.0.0.1");
    node.listen();
    again();
    await new Promise<void>((resolve) => node.once("listening", resolve));
    again();
    await close(node);
  });

  test("everything but close after close, which calls back again", async () => {
    for (const node of [new UtpNode(), new UtpNode().bind(0, "127.0.0.1")]) {
      const calls: readonly (() => unknown)[] = [
        () => node.bind(),
        () => node.listen(),
        () => node.connect(80),
        () => node.punch(1, 80),
      ];
      const refused = async (): Promise<void> => {
        const code = "ERR_SOCKET_DGRAM_NOT_RUNNING";
        for (const call of calls) assert.throws(call, { code });
        await assert.rejects(node.bindP(), { code });
        await assert.rejects(node.listenP(), { code });
        await assert.rejects(node.connectP(80), { code });
        await assert.rejects(node.punchP(1, 80), { code });
      };
      const closing = close(node);
      await refused();
      await closing;
      await refused();
      await close(node);
      await node.closeP();
      assert.equal(node.address(), null);
      assert.equal(node.getUdpSocket(), undefined);
    }
  });
});
