import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OnetpError, systemError } from "../../../src/base/errors.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import {
  AttemptRecord,
  type AttemptReport,
  dialError,
  sinceStart,
  timeoutError,
} from "../../../src/net/report.ts";
import { entry, plannedTransport } from "../scheduler/candidate.ts";

/** An attempt that has failed after so many ms. */
function failed(
  endpoint: Endpoint,
  error: Error,
  ms = 3,
  phase: AttemptReport["phase"] = "connect",
): AttemptReport {
  const { transportType: transport } = endpoint;
  return { transport, endpoint, cost: 0, start: 1, end: 1 + ms, phase, outcome: "failed", error };
}

function planned(endpoint: Endpoint): AttemptReport {
  const open = { start: undefined, end: undefined, error: undefined };
  return { ...failed(endpoint, new Error("none")), ...open, outcome: "planned" };
}

const refused = () => systemError("ECONNREFUSED", "connect", "10.0.0.1", 80);
const A = entry("tcp", "10.0.0.1", 80);
const B = entry("udp", "2600::1", 9);

describe("the error of a failed dial", () => {
  it("with one attempt looks as in net", () => {
    const error = dialError([failed(A, refused())]) as Error & Record<string, unknown>;
    assert.equal(error.message, "connect ECONNREFUSED 10.0.0.1:80");
    assert.deepEqual(
      [error.code, error.syscall, error.address, error.port],
      ["ECONNREFUSED", "connect", "10.0.0.1", 80],
    );
  });

  it("names each attempt: transport, address, reason, phase, time", () => {
    const unsupported = new OnetpError("ERR_1TP_UNSUPPORTED");
    const nameless = failed(entry("memory"), new Error("no such name"), 0.4);
    const error = dialError([failed(A, refused(), 12.6), failed(B, unsupported, 5_000, "punch"), nameless]);
    assert.equal(
      error.message,
      "every attempt failed: tcp 10.0.0.1:80 ECONNREFUSED (connect, 13 ms), " +
        "udp [2600::1]:9 ERR_1TP_UNSUPPORTED (punch, 5000 ms), memory no such name (connect, 0 ms)",
    );
  });

  it("leaves out attempts that never began", () => {
    const error = dialError([failed(A, refused()), planned(B)]);
    assert.equal((error.cause as AggregateError).errors.length, 1);
    assert.equal(error.message, "connect ECONNREFUSED 10.0.0.1:80");
  });

  it("has an address or port only if all attempts were to it", () => {
    const to = (...endpoints: Endpoint[]) =>
      dialError(endpoints.map((endpoint) => failed(endpoint, refused()))) as Error & Record<string, unknown>;
    const where = (error: Record<string, unknown>) => [error.address, error.port];
    assert.deepEqual(where(to(A, entry("udp", "10.0.0.1", 80))), ["10.0.0.1", 80]);
    assert.deepEqual(where(to(A, entry("tcp", "10.0.0.1", 81))), ["10.0.0.1", undefined]);
    assert.deepEqual(where(to(A, entry("tcp", "10.0.0.2", 80))), [undefined, 80]);
    assert.deepEqual(where(to(A, B)), [undefined, undefined]);
    assert.equal("address" in to(A, B), false);
    assert.equal("address" in to({ transportType: "x", transportInfo: { address: {}, port: "80" } }), false);
  });
});

describe("the error of a dial whose time is up", () => {
  it("is ETIMEDOUT, says the limit and names what was tried", () => {
    const late = systemError("ETIMEDOUT", "connect", "2600::1", 9);
    const attempts = [failed(A, refused(), 4), failed(B, late, 996), planned(A)];
    const error = timeoutError(attempts, 1_000) as Error & Record<string, unknown>;
    assert.equal(
      error.message,
      "connect ETIMEDOUT: no attempt succeeded within 1000 ms: " +
        "tcp 10.0.0.1:80 ECONNREFUSED (connect, 4 ms), udp [2600::1]:9 ETIMEDOUT (connect, 996 ms)",
    );
    assert.deepEqual([error.code, error.syscall, error.address], ["ETIMEDOUT", "connect", undefined]);
    assert.ok(error.cause instanceof AggregateError);
    assert.deepEqual(error.cause.errors, [attempts[0]?.error, late]);
    assert.ok(error.stack?.includes(error.message));
  });
});

describe("the record of an attempt", () => {
  it("begins as planned, in the first phase of its transport", () => {
    const transport = plannedTransport("tcp", { cost: 7 });
    const record = new AttemptRecord({ transport, endpoint: A, cost: 1_007 });
    assert.deepEqual(
      { ...record },
      {
        transport: "tcp",
        endpoint: A,
        cost: 1_007,
        start: undefined,
        end: undefined,
        phase: "connect",
        outcome: "planned",
        error: undefined,
        path: undefined,
      },
    );
    const signaled = { ...transport, traits: { ...transport.traits, signaled: true } };
    assert.equal(new AttemptRecord({ transport: signaled, endpoint: A, cost: 0 }).phase, "signal");
  });

  it("counts time from the start of the dial, to a microsecond", () => {
    assert.equal(sinceStart(1_000.1, 1_000), 0.1);
    assert.equal(sinceStart(1_234.56789, 1_000), 234.568);
    assert.equal(sinceStart(1_000, 1_000), 0);
  });
});
