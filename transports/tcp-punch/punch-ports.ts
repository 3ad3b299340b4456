import type { Runtime } from "../../src/contract/runtime.ts";
import { hostAddresses } from "../../src/host/host-addresses.ts";
import type { Net, NetSocket } from "../../src/host/stun-stream.ts";
import type { Sighting } from "../../src/nat/sighting.ts";
import type { TcpCandidate } from "../../src/nat/tcp/candidate.ts";
import { HeldMapping } from "./held-mapping.ts";
import { freePort, listenAnywhere, type NetServer, portOf } from "./local-ports.ts";
import type { PunchParts } from "./parts.ts";

/** Own addresses of each family, of which each makes two candidates (chosen: sixteen are all that a peer takes). */
const MAX_ADDRESSES = 3;

/** The two ports of one side of a punch: one to connect from, which nobody listens on at first, and one to listen on. */
export class PunchPorts {
  /** Connections whose source the peer has been told leave from here. */
  readonly shared: number;
  readonly families: readonly (4 | 6)[];
  readonly candidates: readonly TcpCandidate[];
  /** Where servers see the first one, as soon as that is known. Never rejects. */
  readonly sightings: Promise<readonly Sighting[]>;
  /** Whoever connects to where we listen; who comes before this is set is sent away. */
  onConnection: ((socket: NetSocket) => void) | undefined;
  readonly #net: Net;
  readonly #referenced: boolean;
  readonly #servers: NetServer[] = [];
  #closed = false;
  readonly #mapping: HeldMapping;

  private constructor(
    { net, stun }: PunchParts,
    server: NetServer,
    shared: number,
    runtime: Runtime,
    referenced: boolean,
  ) {
    const own = runtime.interfaces();
    const addresses = ([4, 6] as const).map((family) => ({
      family,
      list: hostAddresses(family, { interfaces: () => own }).slice(0, MAX_ADDRESSES),
    }));
    const listening = portOf(server);
    this.shared = shared;
    this.families = addresses.filter(({ list }) => list.length > 0).map(({ family }) => family);
    this.candidates = addresses
      .flatMap(({ list }) => list)
      .flatMap((address) => [
        { kind: "listening", address, port: listening },
        { kind: "host", address, port: shared },
      ]);
    this.#mapping = new HeldMapping(net, shared, runtime, referenced);
    this.sightings = this.#mapping.ask(stun);
    this.#net = net;
    this.#referenced = referenced;
    this.#serve(server);
  }

  /** Rejects with the system's error. `referenced`: it keeps the process alive. */
  static async open(parts: PunchParts, runtime: Runtime, referenced: boolean): Promise<PunchPorts> {
    const shared = await freePort(parts.net);
    return new PunchPorts(parts, await listenAnywhere(parts.net), shared, runtime, referenced);
  }

  #serve(server: NetServer): void {
    this.#servers.push(server);
    if (!this.#referenced) server.unref();
    server.on("connection", (socket) => this.#accept(socket));
    // One connection could not be accepted, for want of descriptors say.
    server.on("error", () => undefined);
  }

  /** Lets in whoever comes to the shared port, too. From then on nothing can be connected from there. Never rejects. */
  async await(): Promise<void> {
    const server = this.#closed
      ? undefined
      : await listenAnywhere(this.#net, this.shared).catch(() => undefined);
    if (server) this.#serve(server);
    if (this.#closed) server?.close();
  }

  #accept(socket: NetSocket): void {
    // Without an address it was reset before it was accepted.
    if (this.onConnection && socket.remoteAddress !== undefined) this.onConnection(socket);
    else socket.destroy();
  }

  /** Nobody is let in any more, and servers are let go. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
    this.#mapping.close();
  }
}
