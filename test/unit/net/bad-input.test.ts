import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import {
  createConnection,
  createServer,
  MemoryTransport,
  OnetpError,
  type Server,
  type ServerOptions,
  Socket,
  type SocketOptions,
  TcpTransport,
} from "1tp";

const TYPE = "ERR_INVALID_ARG_TYPE";
const VALUE = "ERR_INVALID_ARG_VALUE";
const RANGE = "ERR_OUT_OF_RANGE";

const memory = () => [new MemoryTransport()];

/** Any value where the types ask for another. */
// biome-ignore lint/suspicious/noExplicitAny: wrong types are what this file is about
const wrong = (value: unknown): any => value;

function describeValue(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** A memory server that listens until the test is over. */
async function listening(t: TestContext, options: ServerOptions = {}): Promise<Server> {
  const server = createServer(memory(), { security: "none", ...options });
  await server.listenP();
  t.after(() => server.close());
  return server;
}

/** Options of a wrong type or value, with the code each is refused with. */
const COMMON: readonly [option: string, value: unknown, code: string][] = [
  ["allowHalfOpen", "yes", TYPE],
  ["noDelay", 1, TYPE],
  ["keepAlive", "on", TYPE],
  ["keepAliveInitialDelay", "1000", TYPE],
  ["keepAliveInitialDelay", -1, RANGE],
  ["highWaterMark", "large", TYPE],
  ["highWaterMark", -1, VALUE],
  ["highWaterMark", Number.NaN, VALUE],
  ["security", "tls", VALUE],
  ["security", true, VALUE],
  ["signal", "stop", TYPE],
  ["signal", {}, TYPE],
  ["runtime", 5, TYPE],
];

const SOCKET_ONLY: typeof COMMON = [
  ["scheduler", "fastest", VALUE],
  ["scheduler", "toString", VALUE],
  ["scheduler", "__proto__", VALUE],
  ["scheduler", 5, TYPE],
  ["scheduler", null, TYPE],
  ["scheduler", {}, TYPE],
  ["scheduler", { plan: "first" }, TYPE],
  ["parallelConnectionSetup", "true", TYPE],
  ["connectTimeout", "60", TYPE],
  ["connectTimeout", -1, RANGE],
  ["connectTimeout", Number.NaN, RANGE],
  ["connectTimeout", 2 ** 31, RANGE],
  ["timeout", "60", TYPE],
  ["timeout", -1, RANGE],
  ["timeout", Number.POSITIVE_INFINITY, RANGE],
  ["dialPolicy", "private", TYPE],
  ["dialPolicy", { allow: "private" }, TYPE],
  ["dialPolicy", { allow: ["nowhere"] }, VALUE],
  ["dialPolicy", { forbid: [] }, VALUE],
];

const SERVER_ONLY: typeof COMMON = [
  ["pauseOnConnect", "yes", TYPE],
  ["exclusive", 1, TYPE],
];

const NO_TRANSPORTS: readonly [label: string, transports: unknown, code: string][] = [
  ["an empty array", [], VALUE],
  ["an array with null", [null], TYPE],
  ["an array with a word", ["tcp"], TYPE],
  ["a class instead of its instance", [TcpTransport], TYPE],
  ["an object that is no transport", [{ type: "tcp" }], TYPE],
];

describe("wrong options throw at once", () => {
  for (const [option, value, code] of [...COMMON, ...SOCKET_ONLY]) {
    test(`a socket's ${option} ${describeValue(value)} is ${code}`, () => {
      const options: SocketOptions = wrong({ [option]: value });
      assert.throws(() => new Socket(memory(), options), { code });
      assert.throws(() => createConnection([], memory(), options), { code });
    });
  }
  for (const [option, value, code] of [...COMMON, ...SERVER_ONLY]) {
    test(`a server's ${option} ${describeValue(value)} is ${code}`, () => {
      assert.throws(() => createServer(memory(), wrong({ [option]: value })), { code });
    });
  }
  for (const [label, transports, code] of NO_TRANSPORTS) {
    test(`${label} for transports is ${code}`, () => {
      assert.throws(() => createServer(wrong(transports)), { code });
      assert.throws(() => new Socket(wrong(transports)), { code });
      assert.throws(() => createConnection([], wrong(transports)), { code });
    });
  }
  for (const options of ["text", 5, true]) {
    test(`options ${options} is ${TYPE}`, () => {
      assert.throws(() => createServer(memory(), wrong(options)), { code: TYPE });
      assert.throws(() => new Socket(memory(), wrong(options)), { code: TYPE });
      assert.throws(() => createConnection([], memory(), wrong(options)), { code: TYPE });
    });
  }

  test("a connection listener that is no function is ERR_INVALID_ARG_TYPE", () => {
    assert.throws(() => createServer(memory(), {}, wrong("listener")), { code: TYPE });
  });

  test("the message names the option and what it got", () => {
    assert.throws(() => new Socket(memory(), wrong({ connectTimeout: "60" })), /connectTimeout.*'?60/);
    assert.throws(() => new Socket(memory(), wrong({ scheduler: "fastest" })), /staggered.*fastest/);
  });

  test("transports and options may be left out, null or undefined", () => {
    for (const nothing of [undefined, null]) {
      createServer(nothing, {});
      new Socket(nothing, {}).destroy();
    }
    createServer(memory(), undefined);
    new Socket(memory(), undefined).destroy();
  });

  test("transports check their own options", () => {
    const cases: readonly [object, string][] = [
      [{ cost: "low" }, TYPE],
      [{ connectTimeout: "5" }, TYPE],
      [{ connectTimeout: -1 }, RANGE],
    ];
    for (const [options, code] of cases) {
      assert.throws(() => new TcpTransport(wrong(options)), { code });
      assert.throws(() => new MemoryTransport(wrong(options)), { code });
    }
    assert.throws(() => new TcpTransport({ backlog: 0 }), { code: RANGE });
    assert.throws(() => new TcpTransport({ keepAlive: -1 }), { code: RANGE });
    assert.throws(() => new TcpTransport({ ipv6Only: wrong("yes") }), { code: TYPE });
  });
});

describe("a listeningInfo is the user's own", () => {
  const entry = (transportInfo: unknown) => wrong([{ transportType: "memory", transportInfo }]);

  for (const port of [-1, 65_536, 1.5, Number.NaN, "http", "", true, {}]) {
    test(`port ${describeValue(port)} is ERR_SOCKET_BAD_PORT`, () => {
      const code = "ERR_SOCKET_BAD_PORT";
      assert.throws(() => createServer(memory()).listen(entry({ port })), { code });
    });
  }
  for (const info of ["127.0.0.1", 5, true, [5], ["tcp"], [[]], [{}], [{ transportType: "tcp" }]]) {
    test(`${JSON.stringify(info)} is ${TYPE}`, () => {
      assert.throws(() => createServer(memory()).listen(wrong(info)), { code: TYPE });
    });
  }

  test("an address that is no string is ERR_INVALID_ARG_TYPE", () => {
    assert.throws(() => createServer(memory()).listen(entry({ address: 5 })), { code: TYPE });
  });

  test("listen options of a wrong type are ERR_INVALID_ARG_TYPE", () => {
    assert.throws(() => createServer(memory()).listen([], wrong("exclusive")), { code: TYPE });
    assert.throws(() => createServer(memory()).listen([], wrong({ exclusive: "yes" })), { code: TYPE });
  });

  test("a listen that throws leaves the server as it was", async (t) => {
    const server = createServer(memory());
    t.after(() => server.close());
    assert.throws(() => server.listen(wrong("here"), () => assert.fail("it listens")), { code: TYPE });
    assert.equal(server.address(), null);
    await server.listenP();
  });

  test("null entries and entries for other transports are passed over", async (t) => {
    const server = createServer(memory());
    t.after(() => server.close());
    const other = { transportType: "carrier-pigeon", transportInfo: { loft: 7 } };
    const info = await server.listenP([null, other, { transportType: "memory", transportInfo: {} }]);
    assert.equal(info.length, 1);
  });

  test("null instead of a listeningInfo is none", async (t) => {
    const server = createServer(memory());
    t.after(() => server.close());
    assert.equal((await server.listenP(null)).length, 1);
  });
});

describe("a server that is used twice", () => {
  test("listening twice is ERR_SERVER_ALREADY_LISTEN, also before it listens", async (t) => {
    const server = createServer(memory());
    t.after(() => server.close());
    server.listen();
    assert.throws(() => server.listen(), { code: "ERR_SERVER_ALREADY_LISTEN" });
    await once(server, "listening");
    assert.throws(() => server.listen(), { code: "ERR_SERVER_ALREADY_LISTEN" });
    await assert.rejects(server.listenP(), { code: "ERR_SERVER_ALREADY_LISTEN" });
  });

  test("a listen that is refused leaves no listener of listening behind", async (t) => {
    const server = await listening(t);
    assert.throws(() => server.listen(() => {}));
    await assert.rejects(server.listenP());
    assert.deepEqual(
      ["listening", "error", "close"].map((event) => server.listenerCount(wrong(event))),
      [0, 0, 0],
    );
  });

  test("closing twice tells the second callback ERR_SERVER_NOT_RUNNING", async (t) => {
    const server = await listening(t);
    const first = server.closeP();
    await assert.rejects(server.closeP(), { code: "ERR_SERVER_NOT_RUNNING" });
    await first;
    await assert.rejects(server.closeP(), { code: "ERR_SERVER_NOT_RUNNING" });
  });

  test("closing twice without callbacks is no error", async (t) => {
    const server = await listening(t);
    const closed = once(server, "close");
    server.close();
    server.close();
    await closed;
  });

  test("closing before it listens ends the listening", async () => {
    const server = createServer(memory());
    const listened = server.listenP();
    server.close();
    await assert.rejects(listened, { code: "ERR_SERVER_NOT_RUNNING" });
    assert.equal(server.address(), null);
  });

  test("callbacks that are no functions are ERR_INVALID_ARG_TYPE", async (t) => {
    const server = await listening(t);
    assert.throws(() => server.close(wrong("later")), { code: TYPE });
    assert.throws(() => server.getConnections(wrong(undefined)), { code: TYPE });
    assert.equal(server.listening, true);
  });

  test("a port that is taken is EADDRINUSE where it is exclusive", async (t) => {
    const first = createServer([new TcpTransport()]);
    t.after(() => first.close());
    const here = { transportType: "tcp", transportInfo: { address: "127.0.0.1" } };
    const [taken] = await first.listenP([here]);
    const second = createServer([new TcpTransport()], { exclusive: true });
    await assert.rejects(second.listenP([taken!]), { code: "EADDRINUSE" });
    second.listen([taken!]);
    const [error] = await once(second, "error");
    assert.equal(error.code, "EADDRINUSE");
    assert.equal(second.address(), null);
  });
});

describe("a scheduler of one's own that is wrong", () => {
  const plans: readonly [label: string, plan: (candidates: readonly unknown[]) => unknown, code: string][] = [
    ["gives nothing", () => undefined, "ERR_INVALID_RETURN_VALUE"],
    ["gives an empty plan", () => [], "ERR_INVALID_RETURN_VALUE"],
    ["gives null starts", () => [null], "ERR_INVALID_RETURN_VALUE"],
    ["gives strange candidates", () => [{ candidate: {}, startAfter: 0 }], "ERR_INVALID_RETURN_VALUE"],
    [
      "gives a candidate twice",
      ([candidate]) => [0, 0].map((startAfter) => ({ candidate, startAfter })),
      "ERR_INVALID_RETURN_VALUE",
    ],
    ["gives no delay", ([candidate]) => [{ candidate }], "ERR_INVALID_RETURN_VALUE"],
    ["gives a negative delay", ([candidate]) => [{ candidate, startAfter: -1 }], "ERR_INVALID_RETURN_VALUE"],
    [
      "throws",
      () => {
        throw Object.assign(new Error("no plan"), { code: "ERR_OWN" });
      },
      "ERR_OWN",
    ],
  ];
  for (const [label, plan, code] of plans) {
    test(`${label}: the socket says ${code}`, async (t) => {
      const server = await listening(t);
      const scheduler = wrong({ plan });
      const socket = createConnection(server.address()!, memory(), { scheduler, security: "none" });
      const [error] = await once(socket, "error");
      assert.equal(error.code, code);
    });
  }
});

describe("wrong calls of a socket", () => {
  test("connect while connecting or connected is EISCONN", async (t) => {
    const server = await listening(t);
    const socket = createConnection(server.address()!, memory(), { security: "none" });
    t.after(() => socket.destroy());
    assert.throws(() => socket.connect(server.address()!), { code: "EISCONN" });
    await once(socket, "connect");
    assert.throws(() => socket.connect(server.address()!), { code: "EISCONN" });
    assert.equal(socket.isConnected(), true);
  });

  test("a connect listener that is no function is ERR_INVALID_ARG_TYPE", () => {
    assert.throws(() => new Socket(memory()).connect([], wrong("listener")), { code: TYPE });
  });

  test("connectP rejects with what the error event would say", async () => {
    const socket = new Socket(memory());
    await assert.rejects(socket.connectP([]), (error) => error instanceof OnetpError);
    assert.equal(socket.destroyed, true);
  });
});
