import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OnetpError, systemError } from "../../src/base/errors.ts";
import { VERSION } from "../../src/base/version.ts";
import type { Transport } from "../../src/contract/transport.ts";
import { Server } from "../../src/net/server.ts";
import type { ListenOutcome } from "../kit/scripted-listener.ts";
import { Serving } from "./serving.ts";

const listen = (after: number): ListenOutcome => ({ does: "listen", after });
const fail = (after: number, error: unknown = systemError("EADDRINUSE", "listen")): ListenOutcome => {
  return { does: "fail", after, error };
};

describe("a server on several transports", () => {
  it("listens when the slowest does, and says so once", async () => {
    const serving = await new Serving({ a: listen(30), b: listen(10), c: listen(20) }).listen();
    assert.deepEqual(serving.events, ["listening@30"]);
  });

  it("has no address before", async () => {
    const serving = new Serving({ a: listen(30), b: listen(10) });
    assert.equal(serving.address, null);
    await serving.listen(29);
    assert.equal(serving.address, null);
    assert.equal(serving.server.listening, false);
    await serving.pass(1);
    assert.equal(serving.server.listening, true);
  });

  it("has the entries of all in the order of its transports, with the version", async () => {
    const serving = new Serving({ a: listen(30), b: listen(10), c: listen(20) });
    const info = await serving.clock.run(() => serving.server.listenP());
    assert.deepEqual(info, serving.server.address());
    assert.deepEqual(serving.address, ["a", "a", "b", "b", "c", "c"]);
    assert.deepEqual(info[1], {
      transportType: "a",
      transportInfo: { listen: 1, port: 2 },
      version: VERSION,
    });
  });

  it("tells each what its dial policy says of addresses that peers name", async () => {
    const serving = await new Serving({ a: listen(1) }, { dialPolicy: { deny: ["private"] } }).listen();
    const { mayDial } = serving.transports[0]!.contexts[0]!;
    assert.deepEqual(
      ["8.8.8.8", "10.0.0.1"].map((host) => mayDial!(host)),
      [true, false],
    );
    const free = await new Serving({ a: listen(1) }).listen();
    assert.equal(free.transports[0]!.contexts[0]!.mayDial, undefined);
  });

  it("listens with those that can, and tells of the others", async () => {
    const serving = await new Serving({ a: fail(5), b: listen(10), c: fail(20), d: listen(1) }).listen();
    assert.deepEqual(serving.events, [
      "transportError a EADDRINUSE@5",
      "transportError c EADDRINUSE@20",
      "listening@20",
    ]);
    assert.deepEqual(serving.address, ["b", "b", "d", "d"]);
  });

  it("fails only when none can listen, with the code they agree on", async () => {
    const serving = await new Serving({ a: fail(5), b: fail(10) }).listen();
    assert.deepEqual(serving.events, [
      "transportError a EADDRINUSE@5",
      "transportError b EADDRINUSE@10",
      "error EADDRINUSE@10",
    ]);
    assert.equal(serving.error?.message, "every attempt failed: a EADDRINUSE, b EADDRINUSE");
    assert.equal(serving.address, null);
    assert.equal(serving.server.listening, false);
  });

  it("fails with a code of its own when theirs differ", async () => {
    const denied = systemError("EACCES", "listen");
    const serving = new Serving({ a: fail(5), b: fail(1, denied), c: fail(2, new Error("no idea")) });
    serving.server.on("transportError", () => {});
    await assert.rejects(
      serving.clock.run(() => serving.server.listenP()),
      (error: Error) => {
        assert.ok(error instanceof OnetpError && error.code === "ERR_1TP_ALL_ATTEMPTS_FAILED");
        assert.match(error.message, /b EACCES, c no idea, a EADDRINUSE$/);
        assert.equal((error.cause as AggregateError).errors.length, 3);
        return true;
      },
    );
  });

  it("takes a transport that cannot listen, throws or fails with no Error for one that failed", async () => {
    const mine = new TypeError("mine");
    const serving = new Serving({
      a: { does: "throw", error: mine },
      b: fail(1, null),
      c: fail(2, "text"),
    });
    await serving.listen();
    assert.deepEqual(serving.events, [
      "transportError a mine@0",
      "transportError b something that is no Error was thrown@1",
      "transportError c text@2",
      "error ERR_1TP_ALL_ATTEMPTS_FAILED@2",
    ]);

    const deaf: Transport = {
      ...serving.transports[0]!,
      type: "deaf",
      accepts: () => false,
      dial: async () => null!,
    };
    const server = new Server([deaf], { security: "none" });
    await assert.rejects(server.listenP(), { code: "ERR_1TP_UNSUPPORTED", transport: "deaf" });
  });
});

describe("a server on one transport", () => {
  it("fails with its error and nothing else", async () => {
    const error = systemError("EADDRINUSE", "listen", "127.0.0.1", 80);
    const serving = await new Serving({ a: fail(5, error) }).listen();
    assert.deepEqual(serving.events, ["error EADDRINUSE@5"]);
    assert.equal(serving.error, error);
  });

  it("fails with what breaks its listener later", async () => {
    const serving = await new Serving({ a: listen(5) }).listen();
    serving.transports[0]?.break(systemError("ENETDOWN", "accept"));
    assert.deepEqual(serving.events, ["listening@5", "error ENETDOWN@100"]);
    assert.equal(serving.address, null);
    assert.equal(serving.server.listening, false);
  });
});

describe("a listener that breaks", () => {
  const broken = systemError("ENETDOWN", "accept");

  it("takes its entries out of the address, and the others go on", async () => {
    const serving = await new Serving({ a: listen(5), b: listen(5) }).listen();
    serving.transports[0]?.break(broken);
    await serving.clock.advanceAsync(0);
    assert.deepEqual(serving.events, ["listening@5", "transportError a ENETDOWN@100"]);
    assert.deepEqual(serving.address, ["b", "b"]);
    serving.transports[1]?.connect();
    assert.deepEqual(serving.events.at(-1), "connection b@100");
  });

  it("is the server's error if it was the last", async () => {
    const serving = await new Serving({ a: listen(5), b: listen(5), c: fail(1) }).listen();
    serving.transports[1]?.break(broken);
    await serving.pass(10);
    serving.transports[0]?.break(broken);
    assert.deepEqual(serving.events.slice(2), ["transportError b ENETDOWN@100", "error ENETDOWN@110"]);
    assert.equal(serving.address, null);
  });

  it("while another opens does not stop that one", async () => {
    const serving = await new Serving({ a: listen(5), b: listen(50) }).listen(20);
    serving.transports[0]?.break(broken);
    await serving.pass(100);
    assert.deepEqual(serving.events, ["transportError a ENETDOWN@20", "listening@50"]);
    assert.deepEqual(serving.address, ["b", "b"]);
  });

  it("while another opens that fails makes the listen fail", async () => {
    const serving = await new Serving({ a: listen(5), b: fail(50) }).listen(20);
    serving.transports[0]?.break(broken);
    await serving.pass(100);
    assert.deepEqual(serving.events, [
      "transportError a ENETDOWN@20",
      "transportError b EADDRINUSE@50",
      "error ERR_1TP_ALL_ATTEMPTS_FAILED@50",
    ]);
    assert.match(serving.error!.message, /a ENETDOWN, b EADDRINUSE$/);
    assert.equal(serving.address, null);
  });

  it("after close changes nothing", async () => {
    const serving = await new Serving({ a: listen(5), b: listen(5) }).listen();
    serving.server.close();
    for (const transport of serving.transports) transport.break(broken);
    await serving.pass(100);
    assert.deepEqual(serving.events, ["listening@5", "close@100"]);
  });
});

describe("closing", () => {
  it("waits for every listener", async () => {
    const serving = await new Serving({
      a: { does: "listen", closing: 30 },
      b: { does: "listen", closing: 10 },
    }).listen();
    serving.server.close(() => serving.tell("callback"));
    assert.equal(serving.address, null);
    assert.equal(serving.server.listening, false);
    await serving.pass(100);
    assert.deepEqual(serving.events, ["listening@0", "close@130", "callback@130"]);
    serving.assertGone();
  });

  it("is not held up by a listener that cannot close", async () => {
    const stuck: ListenOutcome = { does: "listen", closing: 20, closeError: new Error("stuck") };
    const serving = await new Serving({ a: stuck, b: { does: "listen", closing: 50 } }).listen();
    serving.server.close();
    await serving.pass(100);
    assert.deepEqual(serving.events, ["listening@0", "close@150"]);
  });

  it("while transports open waits until what they open is closed, and nothing is told of them", async () => {
    const script = { a: listen(5), b: { does: "listen", after: 50, closing: 7 }, c: fail(30) } as const;
    const serving = await new Serving(script).listen(20);
    serving.server.close(() => serving.tell("callback"));
    await serving.pass(100);
    assert.deepEqual(serving.events, ["close@57", "callback@57"]);
    assert.equal(serving.transports[1]?.listeners.length, 1);
    serving.assertGone();
  });

  it("keeps connections, and ends after the last of them", async () => {
    const serving = await new Serving({ a: listen(0) }).listen();
    const [first, second] = [serving.transports[0]!.connect(), serving.transports[0]!.connect()];
    serving.server.close();
    await serving.pass(50);
    assert.deepEqual([first?.aborted, second?.aborted], [false, false]);
    serving.sockets[0]?.destroy();
    await serving.pass(50);
    assert.ok(!serving.events.some((event) => event.startsWith("close")));
    serving.sockets[1]?.destroy();
    await serving.pass(50);
    assert.equal(serving.events.at(-1), "close@200");
  });

  it("refuses connections that come meanwhile", async () => {
    const serving = await new Serving({ a: { does: "listen", closing: 50 } }).listen();
    serving.server.close();
    const channel = serving.transports[0]!.connect();
    assert.ok(channel.aborted);
    assert.deepEqual(serving.sockets, []);
  });

  it("is what the abort signal and asyncDispose do", async () => {
    const controller = new AbortController();
    const signalled = await new Serving({ a: listen(0) }, { signal: controller.signal }).listen();
    controller.abort();
    await signalled.pass(10);
    assert.deepEqual(signalled.events, ["listening@0", "close@100"]);
    signalled.assertGone();

    const disposed = await new Serving({ a: listen(0) }).listen();
    await disposed.clock.run(() => disposed.server[Symbol.asyncDispose]());
    assert.deepEqual(disposed.events, ["listening@0", "close@100"]);
    disposed.assertGone();
  });
});

describe("listening again", () => {
  it("is a mistake while the server opens or listens", async () => {
    const serving = new Serving({ a: { does: "listen", after: 10, closing: 10 } });
    const code = "ERR_SERVER_ALREADY_LISTEN";
    serving.server.listen();
    assert.throws(() => serving.server.listen(), { code });
    await serving.pass(20);
    assert.throws(() => serving.server.listen(), { code });
    assert.deepEqual(serving.events, ["listening@10"]);
  });

  it("is fine after close, with other entries", async () => {
    const serving = await new Serving({ a: listen(10), b: listen(10) }).listen();
    serving.server.close();
    await serving.pass(100);
    await serving.listen();
    assert.deepEqual(serving.events, ["listening@10", "close@100", "listening@210"]);
    assert.deepEqual(
      serving.server.address()?.map(({ transportInfo }) => transportInfo.listen),
      [2, 2, 2, 2],
    );
    serving.transports[0]?.connect();
    assert.equal(serving.events.at(-1), "connection a@300");
  });

  it("is fine after a failure, also of a listener that broke", async () => {
    const failed = await new Serving({ a: fail(10) }).listen();
    await failed.listen();
    assert.deepEqual(failed.events, ["error EADDRINUSE@10", "error EADDRINUSE@110"]);
    const broken = await new Serving({ a: listen(10) }).listen();
    broken.transports[0]?.break(systemError("ENETDOWN", "accept"));
    await broken.listen();
    assert.deepEqual(broken.events, ["listening@10", "error ENETDOWN@100", "listening@110"]);
  });

  it("from the close event gets the listeners of the new listen alone", async () => {
    const serving = await new Serving({ a: listen(10) }).listen();
    const [old] = serving.transports[0]!.contexts;
    serving.server.once("close", () => serving.server.listen());
    serving.server.close();
    await serving.pass(100);
    const late = old!.onError;
    late(systemError("ENETDOWN", "accept"));
    assert.deepEqual(serving.events, ["listening@10", "close@100", "listening@110"]);
    assert.equal(serving.server.listening, true);
  });
});

describe("what a listen passes on", () => {
  const entry = (transportType: string, port: number) => ({ transportType, transportInfo: { port } });

  it("to each transport are the entries of its type, in order", async () => {
    const serving = new Serving({ a: listen(0), b: listen(0) });
    serving.server.listen([entry("b", 1), null as never, entry("c", 2), entry("a", 3), entry("b", 4)]);
    const infos = serving.transports.map(({ contexts }) => contexts[0]?.listeningInfo);
    assert.deepEqual(infos, [[entry("a", 3)], [entry("b", 1), entry("b", 4)]]);
    await serving.pass(10);
  });

  it("is whether to be exclusive: of the listen, else of the server", async () => {
    for (const [ofServer, ofListen, expected] of [
      [undefined, undefined, false],
      [true, undefined, true],
      [true, false, false],
      [false, true, true],
    ] as const) {
      const serving = new Serving({ a: listen(0) }, ofServer === undefined ? {} : { exclusive: ofServer });
      serving.server.listen(null, ofListen === undefined ? {} : { exclusive: ofListen });
      assert.equal(serving.transports[0]?.contexts[0]?.exclusive, expected);
    }
  });

  it("is ref and unref, to listeners there are and to those to come", async () => {
    const serving = new Serving({ a: listen(0), b: listen(50) });
    const referenced = () =>
      serving.transports.flatMap(({ listeners }) => listeners.map((listener) => listener.referenced));
    serving.server.unref();
    await serving.listen(10);
    assert.deepEqual(referenced(), [false]);
    serving.server.ref();
    assert.deepEqual(referenced(), [true]);
    serving.server.unref();
    await serving.pass(100);
    assert.deepEqual(referenced(), [false, false]);
    serving.server.ref();
    assert.deepEqual(referenced(), [true, true]);
  });
});

describe("the connections of a server", () => {
  it("beyond maxConnections are dropped, and told of", async () => {
    const serving = await new Serving({ a: listen(0), b: listen(0) }).listen();
    const [a, b] = serving.transports;
    serving.server.maxConnections = 2;
    const channels = [a!.connect(), b!.connect(), a!.connect()];
    assert.deepEqual(serving.events.slice(1), ["connection a@100", "connection b@100", "drop a@100"]);
    assert.deepEqual(
      channels.map(({ aborted }) => aborted),
      [false, false, true],
    );
    serving.sockets[0]?.destroy();
    await serving.pass(10);
    b!.connect();
    assert.equal(serving.events.at(-1), "connection b@110");
    serving.server.maxConnections = 0;
    a!.connect();
    assert.equal(serving.events.at(-1), "drop a@110");
  });

  it("are counted while they are open", async () => {
    const serving = await new Serving({ a: listen(0) }).listen();
    const count = () =>
      new Promise((resolve) => serving.server.getConnections((_error, connections) => resolve(connections)));
    assert.equal(await count(), 0);
    serving.transports[0]?.connect();
    serving.transports[0]?.connect();
    assert.equal(await count(), 2);
    serving.sockets[0]?.destroy();
    await serving.pass(10);
    assert.equal(await count(), 1);
  });

  it("bring nothing before they are resumed, with pauseOnConnect", async () => {
    for (const pauseOnConnect of [false, true]) {
      const serving = await new Serving({ a: listen(0) }, { pauseOnConnect }).listen();
      const channel = serving.transports[0]!.connect();
      const [socket] = serving.sockets;
      const received: string[] = [];
      socket!.on("data", (chunk) => received.push(String(chunk)));
      channel.bring(Buffer.from("early"));
      await serving.pass(10);
      assert.equal(socket!.isPaused(), pauseOnConnect);
      assert.deepEqual(received, pauseOnConnect ? [] : ["early"]);
      socket!.resume();
      await serving.pass(10);
      assert.deepEqual(received, ["early"]);
    }
  });
});
