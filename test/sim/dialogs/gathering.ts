import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { Signaling } from "../../../src/contract/dialog.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import type { ServerOptions, SocketOptions } from "../../../src/net/options.ts";
import { Server } from "../../../src/net/server.ts";
import { Socket } from "../../../src/net/socket.ts";
import { SignaledTransport } from "../../kit/signaled-transport.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** Servers and clients who talk through one hub, in virtual time. */
export class Gathering {
  readonly clock = new VirtualClock();
  readonly runtime = simulatedRuntime(this.clock);
  readonly #hub = new LocalHub();
  readonly #start = this.clock.now();

  signaling(): LocalSignaling {
    return new LocalSignaling({ hub: this.#hub });
  }

  /** An echoing server, what it says with the ms since the start, and its signaled transport. */
  serve(
    options: ServerOptions = {},
    signaling: Signaling = this.signaling(),
    others: readonly Transport[] = [],
  ) {
    const transport = new SignaledTransport(signaling);
    const server = new Server([transport, ...others], { runtime: this.runtime, ...options });
    const events: string[] = [];
    const note = (event: string): void => {
      events.push(`${event}@${this.clock.now() - this.#start}`);
    };
    server.on("connection", (socket) => {
      note(`connection ${socket.transport}`);
      socket.on("error", () => {}).pipe(socket);
    });
    server.on("transportError", (error, { type }) => note(`${type} ${codeOf(error)}`));
    server.on("error", (error) => note(`error ${codeOf(error)}`));
    return { server, transport, events };
  }

  socket(
    options: SocketOptions = {},
    signaling: Signaling = this.signaling(),
    connectTimeout = 60_000,
  ): Socket {
    return new Socket([new SignaledTransport(signaling, { connectTimeout })], {
      runtime: this.runtime,
      ...options,
    });
  }
}
