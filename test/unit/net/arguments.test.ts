import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createConnection, createServer, MemoryTransport, Server, Socket, TcpTransport } from "1tp";

const TYPE = "ERR_INVALID_ARG_TYPE";

/** Any value where the types ask for another. */
// biome-ignore lint/suspicious/noExplicitAny: wrong types are half of what this file is about
const wrong = (value: unknown): any => value;

describe("the arguments of a Server", () => {
  it("are those of createServer", () => {
    const listener = (): void => {};
    const memory = [new MemoryTransport()];
    const made = [
      new Server(listener),
      new Server({ pauseOnConnect: true }, listener),
      new Server(memory, listener),
      new Server(memory, {}, listener),
      new Server(null, listener),
      createServer(null, listener),
      createServer(undefined, undefined, listener),
    ];
    for (const server of made) assert.deepEqual(server.listeners("connection"), [listener]);
    for (const server of [new Server(), new Server(null), createServer(null), new Server(memory)]) {
      assert.equal(server.listenerCount("connection"), 0);
    }
  });

  it("say no limit by maxConnections null, as undefined does", async (t) => {
    const memory = [new MemoryTransport()];
    const server = new Server(memory, (socket) => socket.end());
    server.maxConnections = wrong(null);
    server.on("drop", () => assert.fail("it was dropped"));
    t.after(() => server.close());
    const client = createConnection(await server.listenP(), memory).resume();
    await once(client, "end");
  });
});

describe("the arguments of a Socket", () => {
  it("may be options alone", () => {
    assert.equal(new Socket({ allowHalfOpen: true }).allowHalfOpen, true);
    assert.equal(new Socket([new MemoryTransport()], { allowHalfOpen: true }).allowHalfOpen, true);
    assert.equal(new Socket(null).allowHalfOpen, false);
  });

  it("hold no listener", () => {
    assert.throws(() => new Socket(wrong(() => {})), { code: TYPE });
    assert.throws(
      () =>
        new Socket(
          [new TcpTransport()],
          wrong(() => {}),
        ),
      { code: TYPE },
    );
  });
});

describe("one transport without an array around it", () => {
  it("is a mistake, not options", () => {
    const expected = { code: TYPE, message: /"transports" argument must be an array.*TcpTransport/ };
    const transport = wrong(new TcpTransport());
    assert.throws(() => createServer(transport), expected);
    assert.throws(() => new Server(transport), expected);
    assert.throws(() => new Socket(transport), expected);
    assert.throws(() => createConnection([], transport), expected);
  });
});
