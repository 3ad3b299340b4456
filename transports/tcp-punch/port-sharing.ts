import { codeOf } from "../../src/base/errors.ts";
import type { Clock, Millis } from "../../src/contract/clock.ts";
import { connected, type Net, type NetSocket } from "../../src/host/stun-stream.ts";
import { freePort, listenAnywhere, type NetServer, portOf } from "./local-ports.ts";

const LOOPBACK = "127.0.0.1";
/** Loopback that does not answer by then says nothing (chosen). */
const PATIENCE: Millis = 1_000;

/** Whether several connections may leave from one port here: on some systems they may not. */
export class PortSharing {
  #refused = false;
  #probe: Promise<void> | undefined;

  /** It is known that they may not. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Finds out, the first time. False if they may not; what says nothing of ports is no reason to believe so. */
  async settle(net: Net, clock: Clock): Promise<boolean> {
    this.#probe ??= this.#settle(net, clock).catch(() => undefined);
    await this.#probe;
    return !this.#refused;
  }

  async #settle(net: Net, clock: Clock): Promise<void> {
    const late = new AbortController();
    const timer = clock.setTimer(clock.now() + PATIENCE, () => late.abort());
    await this.#try(net, late.signal).finally(() => timer.cancel());
  }

  /** Two connections to this process itself. */
  async #try(net: Net, signal: AbortSignal): Promise<void> {
    const servers: NetServer[] = [];
    const sockets: NetSocket[] = [];
    try {
      const port = await freePort(net);
      for (let count = 0; count < 2; count++) servers.push(await listenAnywhere(net));
      for (const server of servers) server.on("connection", (socket: NetSocket) => ignore(socket).destroy());
      for (const server of servers) {
        const socket = net.connect({ host: LOOPBACK, port: portOf(server), localPort: port });
        sockets.push(socket);
        await connected(socket, "connect", signal);
        ignore(socket);
      }
    } catch (error) {
      this.#refused = sockets.length === 2 && codeOf(error) === "EADDRINUSE";
    } finally {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
    }
  }
}

function ignore(socket: NetSocket): NetSocket {
  return socket.on("error", () => undefined);
}
