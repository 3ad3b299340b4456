import type { Net } from "../../src/host/stun-stream.ts";

/** A listening socket of the platform's `net`. */
export type NetServer = InstanceType<Net["Server"]>;

/** Listens on a port, or a free one, of all own addresses, of both families where there are both. Rejects with the system's error. */
export function listenAnywhere(net: Net, port = 0): Promise<NetServer> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, exclusive: true }, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

/** The port a server listens on. */
export function portOf(server: NetServer): number {
  return (server.address() as { readonly port: number }).port;
}

/** A port that is free now, for connections to leave from: nobody listens there, or the system would not give it to them. */
export async function freePort(net: Net): Promise<number> {
  const server = await listenAnywhere(net);
  const port = portOf(server);
  server.close();
  return port;
}
