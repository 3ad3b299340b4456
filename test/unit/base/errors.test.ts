import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  abortError,
  CODES,
  codeOf,
  invariant,
  nodeError,
  OnetpError,
  systemError,
  toError,
} from "../../../src/base/errors.ts";

/** What programs look at in an error of the system, errno aside. */
function visible(error: unknown) {
  const { name, message, code, syscall, address, port } = error as ReturnType<typeof systemError>;
  return { name, message, code, syscall, address, port };
}

/** A port on which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  assert.ok(typeof address === "object" && address);
  return address.port;
}

test("a refused connect looks as Node's does", async () => {
  const port = await closedPort();
  const [real] = await once(connect(port, "127.0.0.1"), "error");
  assert.deepEqual(visible(systemError("ECONNREFUSED", "connect", "127.0.0.1", port)), visible(real));
});

test("a bind to a port in use looks as Node's does, for IPv4 and IPv6", async () => {
  for (const address of ["127.0.0.1", "::1"]) {
    const type = address === "::1" ? "udp6" : "udp4";
    const first = createSocket(type).bind(0, address);
    await once(first, "listening");
    const { port } = first.address();
    const [real] = await once(createSocket(type).bind(port, address), "error");
    assert.deepEqual(visible(systemError("EADDRINUSE", "bind", address, port)), visible(real));
    first.close();
  }
});

test("port 0 and no port are not told, nor is an absent address, as in Node", async () => {
  const [real] = await once(createSocket("udp4").bind(0, "255.255.255.254"), "error");
  assert.deepEqual(visible(systemError("EADDRNOTAVAIL", "bind", "255.255.255.254", 0)), visible(real));
  assert.equal("port" in systemError("EADDRNOTAVAIL", "bind", "1.2.3.4", 0), "port" in real);
  assert.equal(systemError("ENETDOWN", "send", "1.2.3.4").message, "send ENETDOWN 1.2.3.4");
  const bare = systemError("ECONNRESET", "read");
  assert.equal(bare.message, "read ECONNRESET");
  assert.equal("address" in bare || "port" in bare, false);
});

test("an abort looks as Node's does and has the reason as its cause", async () => {
  const reason = new Error("why");
  const real = await setTimeout(0, undefined, { signal: AbortSignal.abort(reason) }).catch((e) => e);
  const ours = abortError(reason);
  assert.deepEqual(
    [ours.name, ours.code, ours.message, ours.cause],
    [real.name, real.code, real.message, real.cause],
  );
  assert.equal("cause" in abortError(), false);
});

test("a Node code comes in the kind of error Node throws", () => {
  const error = nodeError("ERR_OUT_OF_RANGE", "too much", RangeError);
  assert.ok(error instanceof RangeError);
  assert.equal(error.code, "ERR_OUT_OF_RANGE");
  assert.equal(Object.getPrototypeOf(nodeError("X", "y")), Error.prototype);
});

test("an OnetpError says its sentence, then the detail, and carries phase, transport, status and cause", () => {
  const cause = new Error("below");
  const error = new OnetpError("ERR_1TP_BAD_ADDRESS", {
    detail: "port 0",
    phase: "connect",
    transport: "tcp",
    status: 401,
    cause,
  });
  assert.equal(error.message, `${CODES.ERR_1TP_BAD_ADDRESS.text}: port 0`);
  assert.deepEqual(
    [error.name, error.code, error.phase, error.transport, error.status, error.cause],
    ["OnetpError", "ERR_1TP_BAD_ADDRESS", "connect", "tcp", 401, cause],
  );
  assert.ok(error instanceof Error && error instanceof OnetpError);
  const plain = new OnetpError("ERR_1TP_NO_TRANSPORT");
  assert.equal(plain.message, CODES.ERR_1TP_NO_TRANSPORT.text);
  assert.deepEqual([plain.phase, plain.transport, plain.status], [undefined, undefined, undefined]);
  assert.equal("cause" in plain, false);
  assert.equal(new OnetpError("ERR_1TP_NO_TRANSPORT", { message: "mine" }).message, "mine");
});

test("every code of the table is an ERR_1TP word with a sentence that starts in lower case", () => {
  for (const [code, { text }] of Object.entries(CODES)) {
    assert.match(code, /^ERR_1TP(_[A-Z0-9]+)+$/);
    assert.match(text, /^[a-z].*[^.]$/);
  }
});

test("codeOf finds a code on anything and makes none up", () => {
  assert.equal(codeOf(systemError("EPIPE", "write")), "EPIPE");
  assert.equal(codeOf({ code: "X" }), "X");
  for (const thrown of [new Error("x"), { code: 5 }, "EPIPE", null, undefined, 7]) {
    assert.equal(codeOf(thrown), undefined);
  }
});

test("anything thrown becomes an Error that keeps code and cause", () => {
  const error = new Error("itself");
  assert.equal(toError(error), error);
  assert.equal(toError("text").message, "text");
  const foreign = { code: "EFOREIGN" };
  assert.deepEqual([codeOf(toError(foreign)), toError(foreign).cause], ["EFOREIGN", foreign]);
  assert.ok(toError(undefined) instanceof Error);
});

test("an invariant throws only when the promise is broken", () => {
  invariant(true, "never seen");
  invariant("anything truthy", "never seen");
  assert.throws(() => invariant(0, "numbers go up"), /numbers go up/);
});
