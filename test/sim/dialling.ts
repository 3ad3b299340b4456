import assert from "node:assert/strict";
import { codeOf } from "../../src/base/errors.ts";
import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { SocketOptions } from "../../src/net/options.ts";
import { sinceStart } from "../../src/net/report.ts";
import { Socket } from "../../src/net/socket.ts";
import { type Outcome, ScriptedTransport, type ScriptedTransportOptions } from "../kit/scripted-transport.ts";
import { simulatedRuntime } from "../kit/simulated-runtime.ts";
import { VirtualClock } from "../kit/virtual-clock.ts";

/** What becomes of a dial of each endpoint, by its name, in the order of the connectionInfo. */
export type Script = Readonly<Record<string, Outcome>>;

/** An entry by its name, which is its address if it looks like one. */
export function endpointOf(name: string, transportType = "scripted"): Endpoint {
  const transportInfo = /[:.]/.test(name) ? { address: name, port: 80 } : { name };
  return { transportType, transportInfo };
}

export function nameOf({ transportInfo: { name, address } }: Endpoint): string {
  return String(name ?? address);
}

/** A socket in virtual time that dials scripted endpoints, and what is seen of it from outside. */
export class Dialling {
  readonly clock = new VirtualClock();
  readonly runtime = simulatedRuntime(this.clock);
  readonly start: Instant = this.clock.now();
  readonly transport: ScriptedTransport;
  readonly info: readonly Endpoint[];
  readonly socket: Socket;
  /** `connect@10`, `error ETIMEDOUT@60000`, `close@…` in ms since the start. */
  readonly events: string[] = [];
  error: (Error & Record<string, unknown>) | undefined;

  constructor(script: Script, options: SocketOptions = {}, transportOptions: ScriptedTransportOptions = {}) {
    this.transport = new ScriptedTransport(
      this.clock,
      (endpoint) => script[nameOf(endpoint)]!,
      transportOptions,
    );
    this.info = Object.keys(script).map((name) => endpointOf(name));
    this.socket = new Socket([this.transport], { runtime: this.runtime, security: "none", ...options });
    this.socket.on("connect", () => this.#tell("connect"));
    this.socket.on("close", (hadError: boolean) => this.#tell(hadError ? "close after error" : "close"));
    this.socket.on("error", (error: Error & Record<string, unknown>) => {
      this.error = error;
      this.#tell(`error ${error.code}`);
    });
  }

  #tell(event: string): void {
    this.events.push(`${event}@${this.elapsed}`);
  }

  get elapsed(): Millis {
    return this.clock.now() - this.start;
  }

  /** Dials and lets `ms` pass: by default more than any dial takes. */
  async dial(ms: Millis = 100_000): Promise<this> {
    this.socket.connect(this.info);
    await this.clock.advanceAsync(ms);
    return this;
  }

  /** Which endpoint was dialled when: `a@0`. */
  get starts(): string[] {
    return this.transport.dials.map(
      ({ endpoint, at }) => `${nameOf(endpoint)}@${sinceStart(at, this.start)}`,
    );
  }

  /** The time line as text: `a failed 0-10`, `c planned`. */
  get report(): string[] {
    return this.socket.report.map(({ endpoint, outcome, start, end }) =>
      `${nameOf(endpoint)} ${outcome} ${start === undefined ? "" : `${start}-${end ?? ""}`}`.trim(),
    );
  }

  /** The channel the socket has, if any. */
  get open(): string[] {
    return this.transport.dials
      .filter(({ channel }) => channel && !channel.aborted)
      .map(({ endpoint }) => nameOf(endpoint));
  }

  /** Checks that the dial has left no timer and no channel but that of the winner, and aborted what it gave up. */
  assertTidy(winner?: string): void {
    assert.equal(this.clock.armed, 0, "no timer is left");
    assert.deepEqual(this.open, winner === undefined ? [] : [winner], "no channel but the winner's is left");
    for (const { endpoint, context } of this.transport.dials) {
      const name = nameOf(endpoint);
      const attempt = this.socket.report.find((candidate) => nameOf(candidate.endpoint) === name);
      const givenUp = attempt?.outcome === "aborted" || codeOf(attempt?.error) === "ETIMEDOUT";
      assert.equal(context.signal.aborted, givenUp, `the signal of ${name}, which ${attempt?.outcome}`);
    }
  }
}
