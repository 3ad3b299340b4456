import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { Ports, UdpPort } from "./ports.ts";
import type { Dependence } from "./router.ts";

/** What can be seen from outside of the way a site is translated. */
export interface Observation {
  readonly mapping: Dependence;
  readonly filtering: Dependence;
  readonly ports: "preserving" | "random" | "sequential";
}

/** Servers to observe from: two addresses with two ports each, as [address][port]. */
export type Observatory = readonly [readonly [UdpPort, UdpPort], readonly [UdpPort, UdpPort]];

/** Opens an observatory on a machine with two addresses of the family. */
export async function openObservatory(services: Ports, family: 4 | 6): Promise<Observatory> {
  const own = services.machine.addresses.filter((address) => address.includes(":") === (family === 6));
  const [one, other] = own.map((address) => [services.udp({ address }), services.udp({ address })] as const);
  return Promise.all([Promise.all(one!), Promise.all(other!)]);
}

/** Looks at what a host's packets become and which answers reach it. */
export async function observe(host: Ports, servers: Observatory): Promise<Observation> {
  const [[first, second], [elsewhere]] = servers;
  const client = await host.udp();
  const seen: SocketAddress[] = [];
  for (const server of [first, second, elsewhere]) seen.push(await sourceAt(server, client));
  return {
    mapping: mappingOf(seen),
    ports: portsOf(seen, client),
    filtering: await filteringOf(host, servers),
  };
}

/** The endpoint from which a server sees a client. */
export async function sourceAt(server: UdpPort, client: UdpPort): Promise<SocketAddress> {
  await client.send("who am I?", server.local);
  return (await server.next()).from!;
}

function mappingOf(seen: readonly SocketAddress[]): Dependence {
  const [first, second, elsewhere] = seen.map(({ address, port }) => `${address} ${port}`);
  if (first === second) return first === elsewhere ? "endpoint-independent" : "address-dependent";
  return "address-and-port-dependent";
}

function portsOf(seen: readonly SocketAddress[], client: UdpPort): Observation["ports"] {
  const ports = seen.map(({ port }) => port) as [number, number, number];
  if (ports.every((port) => port === client.local.port)) return "preserving";
  return ports[1] === ports[0] + 1 && ports[2] === ports[1] + 1 ? "sequential" : "random";
}

async function filteringOf(host: Ports, servers: Observatory): Promise<Dependence> {
  const [[asked, samePlace], [elsewhere]] = servers;
  const client = await host.udp();
  const source = await sourceAt(asked, client);
  await elsewhere.send("from elsewhere", source);
  await samePlace.send("from another port", source);
  await asked.send("the answer", source);
  const came: string[] = [];
  // The way is the same for all three, and none overtakes another: after the answer nothing comes.
  while (!came.includes("the answer")) came.push((await client.next()).text);
  if (came.includes("from elsewhere")) return "endpoint-independent";
  return came.includes("from another port") ? "address-dependent" : "address-and-port-dependent";
}
