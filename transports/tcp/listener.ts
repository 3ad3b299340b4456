import type { tcp } from "#platform";
import { systemError } from "../../src/base/errors.ts";
import { ipFamily } from "../../src/base/ip.ts";
import type { ListeningRequest } from "../../src/base/listening.ts";
import { socketEndpoint, withoutZone } from "../../src/base/socket-address.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { bindIndicated } from "../../src/host/indicated-binding.ts";
import { TcpChannel } from "../../src/host/tcp-channel.ts";
import type { TcpSocketOptions } from "./dial.ts";

type Net = NonNullable<typeof tcp>;
type NetServer = InstanceType<Net["Server"]>;

/** What every listening socket gets, besides what it hands on to those it accepts. */
export interface TcpServerOptions {
  readonly backlog: number | undefined;
  readonly ipv6Only: boolean;
}

interface Bound {
  readonly server: NetServer;
  readonly endpoints: readonly Endpoint[];
}

/** Listens on what the context asks for: all of it, or rejects with the system's error and holds nothing. */
export async function listenTcp(
  net: Net,
  options: TcpServerOptions & TcpSocketOptions,
  context: ListenContext,
): Promise<TcpListener> {
  const bound = await bindIndicated(context, {
    bind: (request) => bind(net, options, context, request),
    release: ({ server }) => void server.close(),
  });
  return new TcpListener(bound);
}

/** Without a host `net` binds both families (and ignores ipv6Only), or IPv4 alone where there is no IPv6. */
function bind(
  net: Net,
  options: TcpServerOptions & TcpSocketOptions,
  context: ListenContext,
  { bind, addresses, port }: ListeningRequest,
): Promise<Bound> {
  const { backlog, ipv6Only, ...socketOptions } = options;
  const server = net.createServer({ ...socketOptions, allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const host = bind === "::" && !ipv6Only ? {} : { host: bind };
    server.listen({ ...host, port, backlog, ipv6Only }, () => {
      server.off("error", reject);
      const endpoints = announced(server, addresses, ipv6Only);
      if (endpoints.length === 0) {
        server.close();
        reject(systemError("EADDRNOTAVAIL", "listen", bind, port));
        return;
      }
      accept(server, context);
      resolve({ server, endpoints });
    });
  });
}

function announced(server: NetServer, addresses: readonly string[], ipv6Only: boolean): Endpoint[] {
  const { family, port } = server.address() as { family: string; port: number };
  const reachable = (address: string): boolean =>
    ipFamily(address) === 6 ? family === "IPv6" : family === "IPv4" || !ipv6Only;
  return addresses.filter(reachable).map((address) => socketEndpoint("tcp", withoutZone(address), port));
}

function accept(server: NetServer, context: ListenContext): void {
  server.on("connection", (socket) => {
    // Without one it was reset before it was accepted. Asking also makes the socket remember it.
    if (socket.remoteAddress === undefined) socket.destroy();
    else context.onChannel(new TcpChannel(socket));
  });
  // One connection could not be accepted, for want of descriptors say; the listener lives on.
  server.on("error", (error) => context.runtime.log("tcp: %s", error.message));
}

/** Open listening sockets as one listener. */
export class TcpListener implements Listener {
  readonly endpoints: readonly Endpoint[];
  readonly #servers: readonly NetServer[];

  constructor(bound: readonly Bound[]) {
    this.endpoints = bound.flatMap(({ endpoints }) => endpoints);
    this.#servers = bound.map(({ server }) => server);
  }

  /** The ports are free at once; what `net` waits for before it says so are the connections. */
  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
  }

  ref(): void {
    for (const server of this.#servers) server.ref();
  }

  unref(): void {
    for (const server of this.#servers) server.unref();
  }
}
