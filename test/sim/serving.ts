import assert from "node:assert/strict";
import type { Millis } from "../../src/contract/clock.ts";
import type { ServerOptions } from "../../src/net/options.ts";
import { Server } from "../../src/net/server.ts";
import type { Socket } from "../../src/net/socket.ts";
import { type ListenOutcome, ScriptedListening } from "../kit/scripted-listener.ts";
import { simulatedRuntime } from "../kit/simulated-runtime.ts";
import { VirtualClock } from "../kit/virtual-clock.ts";

/** A server in virtual time on scripted transports, by their types, and what is seen of it from outside. */
export class Serving {
  readonly clock = new VirtualClock();
  readonly transports: readonly ScriptedListening[];
  readonly server: Server;
  /** `listening@10`, `transportError b EADDRINUSE@5`, `close@…` in ms since the start. */
  readonly events: string[] = [];
  readonly sockets: Socket[] = [];
  error: Error | undefined;
  readonly #start = this.clock.now();

  constructor(script: Readonly<Record<string, ListenOutcome>>, options: ServerOptions = {}) {
    this.transports = Object.entries(script).map(
      ([type, outcome]) => new ScriptedListening(this.clock, type, outcome),
    );
    const runtime = simulatedRuntime(this.clock);
    this.server = new Server(this.transports, { runtime, security: "none", ...options });
    this.server.on("listening", () => this.tell("listening"));
    this.server.on("close", () => this.tell("close"));
    this.server.on("transportError", (error, { type }) =>
      this.tell(`transportError ${type} ${label(error)}`),
    );
    this.server.on("error", (error) => {
      this.error = error;
      this.tell(`error ${label(error)}`);
    });
    this.server.on("connection", (socket) => {
      this.sockets.push(socket.on("error", () => {}));
      this.tell(`connection ${socket.remoteAddress?.transportType}`);
    });
    this.server.on("drop", ({ remoteAddress }) => this.tell(`drop ${remoteAddress.transportType}`));
  }

  tell(event: string): void {
    this.events.push(`${event}@${this.clock.now() - this.#start}`);
  }

  /** Listens and lets `ms` pass. */
  async listen(ms: Millis = 100): Promise<this> {
    this.server.listen();
    await this.pass(ms);
    return this;
  }

  async pass(ms: Millis): Promise<void> {
    await this.clock.advanceAsync(ms);
  }

  /** The transport types in `address()`, one for each entry. */
  get address(): string[] | null {
    return this.server.address()?.map(({ transportType }) => transportType) ?? null;
  }

  /** Checks that every listener that was made is closed and no timer is left. */
  assertGone(): void {
    const listeners = this.transports.flatMap((transport) => transport.listeners);
    assert.ok(
      listeners.every(({ closed }) => closed),
      "every listener is closed",
    );
    assert.equal(this.clock.armed, 0);
  }
}

function label(error: Error): string {
  return (error as { code?: string }).code ?? error.message;
}
