import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createServer,
  MemoryTransport,
  OnetpError,
  Socket,
  TcpTransport,
} from "1tp";

const BAD = "ERR_1TP_BAD_ADDRESS";
const NONE = "ERR_1TP_NO_TRANSPORT";
const TYPE = "ERR_INVALID_ARG_TYPE";

const KEY = "A".repeat(43);
const OTHER_KEY = `B${"A".repeat(42)}`;

const transports = [new TcpTransport(), new MemoryTransport()];

/** Whatever a stranger sends, past the types. */
const stranger = (value: unknown): ConnectionInfo => value as ConnectionInfo;

function tcp(transportInfo: unknown, more: object = {}) {
  return { transportType: "tcp", transportInfo, ...more };
}

function nested(depth: number): unknown {
  let value: unknown = "deep";
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

const circle: Record<string, unknown> = { address: "127.0.0.1", port: 9 };
circle.self = circle;

const manyFields = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`f${i}`, i]));

const local = { address: "127.0.0.1", port: 9 };

/** What strangers may send, and the code of the one error event that answers it. */
const HOSTILE: readonly [label: string, info: unknown, code: string][] = [
  ["no entries", [], NONE],
  ["an object without fields", {}, BAD],
  ["null entries", [null, null], BAD],
  ["entries that are no objects", [5, "tcp", true, [], [[]]], BAD],
  ["10,000 entries", Array.from({ length: 10_000 }, () => tcp(local)), BAD],
  ["10,000 empty entries", Array.from({ length: 10_000 }, () => null), BAD],
  ["a sparse array of a million", new Array(1_000_000), BAD],
  ["no transportType", [{ transportInfo: local }], BAD],
  ["a transportType that is no string", [{ transportType: 5, transportInfo: local }], BAD],
  ["an empty transportType", [{ transportType: "", transportInfo: local }], BAD],
  ["a transportType of a megabyte", [{ transportType: "t".repeat(1 << 20), transportInfo: local }], BAD],
  ["no transportInfo", [{ transportType: "tcp" }], BAD],
  ["a transportInfo that is null", [tcp(null)], BAD],
  ["a transportInfo that is an array", [tcp(["127.0.0.1", 9])], BAD],
  ["a transportInfo that is text", [tcp("127.0.0.1:9")], BAD],
  ["a transportInfo of a megabyte", [tcp({ ...local, more: "x".repeat(1 << 20) })], BAD],
  ["a transportInfo of 100,000 fields", [tcp(manyFields)], BAD],
  ["a transportInfo a thousand deep", [tcp({ ...local, more: nested(1000) })], BAD],
  ["a transportInfo that holds itself", [tcp(circle)], BAD],
  ["a number that is not finite", [tcp({ ...local, port: Number.NaN })], BAD],
  ["a function for a field", [tcp({ ...local, port: () => 9 })], BAD],
  ["a publicKey that is no string", [tcp(local, { publicKey: 5 })], BAD],
  ["a publicKey that is too short", [tcp(local, { publicKey: "AAAA" })], BAD],
  ["a publicKey of other letters", [tcp(local, { publicKey: "!".repeat(43) })], BAD],
  ["different public keys", [tcp(local, { publicKey: KEY }), tcp(local, { publicKey: OTHER_KEY })], BAD],
  ["unknown types only", [{ transportType: "carrier-pigeon", transportInfo: { loft: 7 } }], NONE],
  ["__proto__ as type", [{ transportType: "__proto__", transportInfo: {} }], NONE],
  ["constructor as type", [{ transportType: "constructor", transportInfo: {} }], NONE],
  ["a type in capitals", [{ transportType: "TCP", transportInfo: local }], NONE],
  ["a type with a zero byte", [{ transportType: "tcp\0", transportInfo: local }], BAD],
  ["port 0", [tcp({ ...local, port: 0 })], NONE],
  ["a port beyond 65535", [tcp({ ...local, port: 65_536 })], NONE],
  ["a negative port", [tcp({ ...local, port: -1 })], NONE],
  ["half a port", [tcp({ ...local, port: 80.5 })], NONE],
  ["no port", [tcp({ address: "127.0.0.1" })], NONE],
  ["no address", [tcp({ port: 9 })], NONE],
  ["a host name", [tcp({ ...local, address: "localhost" })], NONE],
  ["a path", [tcp({ path: "/var/run/docker.sock" })], NONE],
  ["an IPv4 shorthand", [tcp({ ...local, address: "127.1" })], NONE],
  ["an IPv4 number", [tcp({ ...local, address: "2130706433" })], NONE],
  ["octal digits", [tcp({ ...local, address: "0177.0.0.1" })], NONE],
  ["an address with a line break", [tcp({ ...local, address: "127.0.0.1\n" })], NONE],
  ["an address with a zero byte", [tcp({ ...local, address: "127.0.0.1\0" })], NONE],
  ["an address of spaces", [tcp({ ...local, address: "   " })], NONE],
  ["an address of a thousand letters", [tcp({ ...local, address: "1".repeat(1000) })], NONE],
  ["an address that is an object", [tcp({ ...local, address: { toString: "127.0.0.1" } })], NONE],
  ["a memory name that is a number", [{ transportType: "memory", transportInfo: { name: 5 } }], NONE],
  [
    "a memory name without end",
    [{ transportType: "memory", transportInfo: { name: "n".repeat(4000) } }],
    NONE,
  ],
];

/** Everything a socket emits until it has closed. */
async function outcome(socket: Socket): Promise<{ events: string[]; error: unknown }> {
  const events: string[] = [];
  let error: unknown;
  for (const event of ["connect", "ready", "data", "end"]) socket.on(event, () => events.push(event));
  socket.on("error", (given) => {
    error = given;
    events.push("error");
  });
  await new Promise<void>((resolve) =>
    socket.on("close", (hadError: boolean) => {
      events.push(`close(${hadError})`);
      resolve();
    }),
  );
  return { events, error };
}

describe("a stranger's connectionInfo", () => {
  for (const [label, info, code] of HOSTILE) {
    test(`${label}: one error event, ${code}, then close`, async () => {
      const socket = createConnection(stranger(info), transports, { security: "none" });
      const { events, error } = await outcome(socket);
      assert.deepEqual(events, ["error", "close(true)"]);
      assert.ok(error instanceof OnetpError);
      assert.equal(error.code, code);
      assert.ok(error.message.length < 1000, "a stranger's text does not fill the log");
      assert.deepEqual(socket.report, []);
    });
  }

  for (const info of [null, undefined, "tcp://127.0.0.1:9", 5, true, () => [], Symbol("info")]) {
    test(`${String(info)} is the caller's own mistake: ERR_INVALID_ARG_TYPE at once`, () => {
      assert.throws(() => createConnection(stranger(info), transports), { code: TYPE });
      assert.throws(() => new Socket(transports).connect(stranger(info)), { code: TYPE });
    });
  }

  test("fields that throw when read are an error event", async () => {
    const thrower = () => {
      throw new Error("gotcha");
    };
    const trap = new Proxy({}, { get: thrower, ownKeys: thrower });
    const getter = Object.defineProperty({}, "transportType", { get: thrower, enumerable: true });
    for (const info of [[trap], [getter], trap]) {
      const { error } = await outcome(createConnection(stranger(info), transports));
      assert.equal((error as OnetpError).code, BAD);
    }
  });

  test("what was sent is not looked at again after connect", async (t) => {
    const server = createServer(transports, { security: "none" });
    t.after(() => server.close());
    const info = structuredClone(await server.listenP()) as unknown as { transportInfo: object }[];
    const socket = createConnection(stranger(info), transports, { security: "none" });
    for (const entry of info) entry.transportInfo = { address: "0.0.0.0", port: 1, name: "elsewhere" };
    info.length = 0;
    await once(socket, "connect");
    socket.destroy();
  });

  test("what no transport of its type can dial is quoted, short and in plain letters", async () => {
    const plain = await outcome(
      createConnection(stranger(tcp({ address: "localhost", port: 80 })), transports),
    );
    assert.equal(
      (plain.error as OnetpError).message,
      "no transport accepts any of the addresses: 1 of type tcp, for the transports tcp, memory; " +
        'tcp cannot dial {"address":"localhost","port":80}',
    );
    const odd = tcp({ address: `\n\u001b\u202e${"x".repeat(1000)}`, port: 80 });
    const { error } = await outcome(createConnection(stranger([odd]), transports));
    assert.match(String(error), /tcp cannot dial \{[ -~]{90,100}\.\.\.$/);
  });

  test("one good entry among the hostile ones is found", async (t) => {
    const server = createServer([new MemoryTransport()], { security: "none" });
    t.after(() => server.close());
    const [good] = await server.listenP();
    const info = HOSTILE.filter(([, given]) => Array.isArray(given) && given.length === 1).flatMap(
      ([, given]) => given,
    );
    const mixed = stranger([...info, good, null, 5]);
    const socket = createConnection(mixed, transports, { security: "none" });
    await once(socket, "connect");
    assert.deepEqual(socket.remoteAddress?.transportType, "memory");
    socket.destroy();
  });

  test("unknown fields and other versions are no obstacle", async (t) => {
    const server = createServer([new MemoryTransport()], { security: "none" });
    t.after(() => server.close());
    const [good] = await server.listenP();
    for (const more of [{ version: "99.0.0" }, { version: 5 }, { flavour: { sweet: true } }, { suite: "" }]) {
      const socket = createConnection(stranger({ ...good, ...more }), transports, { security: "none" });
      await once(socket, "connect");
      socket.destroy();
    }
  });

  test("an own __proto__ field changes no prototype", async () => {
    const info = JSON.parse('[{"transportType":"none","transportInfo":{"__proto__":{"polluted":1}}}]');
    await outcome(createConnection(stranger(info), transports));
    assert.equal("polluted" in {}, false);
  });

  test("what the dial policy forbids is not dialled", async () => {
    const dialPolicy = { deny: ["loopback", "private", "link-local"] } as const;
    const info = ["127.0.0.1", "::1", "10.0.0.1", "::ffff:127.0.0.1", "169.254.1.1"].map((address) =>
      tcp({ address, port: 9 }),
    );
    const socket = createConnection(stranger(info), transports, { dialPolicy, security: "none" });
    const { error } = await outcome(socket);
    assert.equal((error as OnetpError).code, NONE);
    assert.match(String(error), /5 forbidden/);
  });

  test("of 256 endpoints that refuse 64 are attempted, with one short error", async () => {
    const info = Array.from({ length: 256 }, (_, i) => ({
      transportType: "memory",
      transportInfo: { name: `nobody ${i}` },
    }));
    const socket = createConnection(info, transports, { scheduler: "parallel", security: "none" });
    const { events, error } = await outcome(socket);
    assert.deepEqual(events, ["error", "close(true)"]);
    assert.equal((error as OnetpError).code, "ECONNREFUSED");
    assert.ok(String(error).length < 2000);
    assert.equal(socket.report.length, 64);
  });
});
