import type { Millis } from "../../src/contract/clock.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { StunServers } from "../../src/host/stun-servers.ts";
import { connected, type Net, StunStream } from "../../src/host/stun-stream.ts";
import type { Sighting } from "../../src/nat/sighting.ts";

/** Servers that have not answered by then are not waited for (chosen: a few round trips, and a SYN that was lost). */
const LIMIT: Millis = 1_500;
/** Two that agree say that a port keeps its mapping; the third is for one that is down. */
const ENOUGH = 2;

/**
 * Where servers see a local port that connections leave from. The connections to them stay open, and with them the NAT's mapping,
 * until `close`.
 */
export class HeldMapping {
  readonly #net: Net;
  readonly #port: number;
  readonly #runtime: Runtime;
  readonly #referenced: boolean;
  readonly #closed = new AbortController();
  readonly #streams: StunStream[] = [];
  /** In the order in which servers were asked, as ports may go up with it. */
  readonly #sightings: (Sighting | undefined)[] = [];

  /** `referenced`: its sockets keep the process alive. */
  constructor(net: Net, port: number, runtime: Runtime, referenced: boolean) {
    this.#net = net;
    this.#port = port;
    this.#runtime = runtime;
    this.#referenced = referenced;
  }

  /** What they say, as soon as it is enough, or no more is to be expected. Never rejects. Once. */
  ask(servers: StunServers): Promise<readonly Sighting[]> {
    const { clock } = this.#runtime;
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#closed.signal.removeEventListener("abort", finish);
        resolve(this.#known);
      };
      const timer = clock.setTimer(clock.now() + LIMIT, finish);
      if (!this.#referenced) timer.unref();
      this.#closed.signal.addEventListener("abort", finish);
      const onSighting = (): void => {
        if (this.#known.length >= ENOUGH) finish();
      };
      void this.#askAll(servers, onSighting).then(finish, finish);
    });
  }

  get #known(): readonly Sighting[] {
    return this.#sightings.filter((sighting) => sighting !== undefined);
  }

  async #askAll(servers: StunServers, onSighting: () => void): Promise<void> {
    const addresses = await servers.addresses(this.#runtime);
    const { signal } = this.#closed;
    if (signal.aborted) return;
    await Promise.allSettled(
      addresses.map(async (server, index) => {
        this.#sightings[index] = await this.#ask(server, signal);
        onSighting();
      }),
    );
  }

  async #ask(server: SocketAddress, signal: AbortSignal): Promise<Sighting | undefined> {
    const { address: host, port } = server;
    const socket = this.#net.connect({ host, port, localPort: this.#port, noDelay: true });
    if (!this.#referenced) socket.unref();
    await connected(socket, "connect", signal);
    if (signal.aborted) {
      socket.destroy();
      return undefined;
    }
    const stream = new StunStream(socket, server, this.#runtime);
    this.#streams.push(stream);
    const mapped = await stream.requests.binding(server, {}, signal);
    return { server, local: this.#port, mapped };
  }

  /** Lets go of the servers. Idempotent. */
  close(): void {
    this.#closed.abort();
    for (const stream of this.#streams.splice(0)) stream.close();
  }
}
