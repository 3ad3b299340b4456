import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeError, OnetpError, systemError } from "../../../src/base/errors.ts";
import { combineErrors } from "../../../src/net/combined-error.ts";

/** The one error for these, each described by its place: `#0`, `#1`… */
function combined(...errors: readonly Error[]): Error & Record<string, unknown> {
  const failures = errors.map((error, i) => ({ error, description: `#${i}` }));
  return combineErrors("connect", failures) as Error & Record<string, unknown>;
}

const refused = () => systemError("ECONNREFUSED", "connect", "10.0.0.1", 80);

describe("the one error for several", () => {
  it("of one system error has its message, code and syscall, and the error as its cause", () => {
    const only = refused();
    const error = combined(only);
    assert.equal(error.message, "connect ECONNREFUSED 10.0.0.1:80");
    assert.equal(error.name, "Error");
    assert.equal(error.code, "ECONNREFUSED");
    assert.equal(error.syscall, "connect");
    assert.ok(error.cause instanceof AggregateError);
    assert.deepEqual(error.cause.errors, [only]);
  });

  it("of one error of ours keeps code, message, phase, transport and status", () => {
    const details = { detail: "what to do", phase: "handshake", transport: "tcp", status: 437 } as const;
    const only = new OnetpError("ERR_1TP_UNSUPPORTED", details);
    const error = combined(only);
    assert.ok(error instanceof OnetpError);
    assert.equal(error.message, only.message);
    assert.deepEqual(
      [error.code, error.phase, error.transport, error.status],
      ["ERR_1TP_UNSUPPORTED", "handshake", "tcp", 437],
    );
    assert.deepEqual((error.cause as AggregateError).errors, [only]);
  });

  it("of one error without a code says that every attempt failed", () => {
    const only = new Error("no idea");
    const error = combined(only);
    assert.ok(error instanceof OnetpError);
    assert.equal(error.code, "ERR_1TP_ALL_ATTEMPTS_FAILED");
    assert.equal(error.message, "every attempt failed: #0");
    assert.deepEqual((error.cause as AggregateError).errors, [only]);
  });

  it("has the code that all of them have", () => {
    const error = combined(refused(), refused(), refused());
    assert.equal(error.code, "ECONNREFUSED");
    assert.equal(error.syscall, "connect");
    assert.equal(error.message, "every attempt failed: #0, #1, #2");
    assert.ok(!(error instanceof OnetpError));
  });

  it("has a code of its own when theirs differ or one has none", () => {
    const sets = [
      [refused(), systemError("ETIMEDOUT", "connect")],
      [refused(), new Error("none")],
      [new Error("none"), refused()],
      [new Error("one"), new Error("two")],
      [new OnetpError("ERR_1TP_UNSUPPORTED"), refused()],
    ];
    for (const errors of sets) {
      const error = combined(...errors);
      assert.ok(error instanceof OnetpError);
      assert.equal(error.code, "ERR_1TP_ALL_ATTEMPTS_FAILED");
      assert.equal(error.message, "every attempt failed: #0, #1");
    }
  });

  it("has of ours only the phase, transport and status that all of them have", () => {
    const one = new OnetpError("ERR_1TP_UNSUPPORTED", { phase: "punch", transport: "udp", status: 401 });
    const two = new OnetpError("ERR_1TP_UNSUPPORTED", { phase: "punch", transport: "tcp" });
    const error = combined(one, two);
    assert.ok(error instanceof OnetpError);
    assert.deepEqual(
      [error.code, error.phase, error.transport, error.status],
      ["ERR_1TP_UNSUPPORTED", "punch", undefined, undefined],
    );
    assert.equal(error.message, "every attempt failed: #0, #1");
  });

  it("of one code, ours and not, is no OnetpError", () => {
    const error = combined(
      new OnetpError("ERR_1TP_UNSUPPORTED"),
      nodeError("ERR_1TP_UNSUPPORTED", "not ours"),
    );
    assert.ok(!(error instanceof OnetpError));
    assert.equal(error.code, "ERR_1TP_UNSUPPORTED");
  });

  it("names at most eight and counts the others", () => {
    const errors = Array.from({ length: 9 }, refused);
    const eight = "#0, #1, #2, #3, #4, #5, #6, #7";
    assert.equal(combined(...errors.slice(1)).message, `every attempt failed: ${eight}`);
    assert.equal(combined(...errors).message, `every attempt failed: ${eight}, and 1 more`);
    const many = combined(...Array.from({ length: 256 }, refused));
    assert.equal(many.message, `every attempt failed: ${eight}, and 248 more`);
    assert.equal((many.cause as AggregateError).errors.length, 256);
  });

  it("keeps them in order in a global AggregateError", () => {
    const errors = [refused(), new Error("none"), new OnetpError("ERR_1TP_UNSUPPORTED")];
    const { cause } = combined(...errors);
    assert.ok(cause instanceof AggregateError);
    assert.ok(cause.errors.every((error, i) => error === errors[i]));
  });

  it("tells its message in its stack, where a crash shows it", () => {
    const ours = new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "what to do" });
    for (const error of [
      combined(refused()),
      combined(ours),
      combined(ours, ours),
      combined(refused(), ours),
    ]) {
      assert.ok(error.stack?.includes(error.message), error.stack);
    }
  });
});
