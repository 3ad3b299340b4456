import { codeOf } from "../base/errors.ts";
import { inSubnet, ipFamily, ipScope, parseIp } from "../base/ip.ts";
import type { ListeningRequest } from "../base/listening.ts";
import { withoutZone } from "../base/socket-address.ts";
import type { DatagramSocket } from "../contract/datagram-socket.ts";
import type { NetworkInterface, Runtime } from "../contract/runtime.ts";

/** Free ports to try before the addresses get different ones (chosen: a clash is rare, eight are none). */
const SAME_PORT_TRIES = 8;

/** The runtime's way to bind; for runtimes that have one. */
export type BindDatagram = NonNullable<Runtime["bindDatagram"]>;

/**
 * Binds one socket per address of `request` (DESIGN.md §7), all to its port or, if that is 0, to one free port where possible.
 * An address that is not there (any more) is left out unless it is the only one. Rejects with the system's error and then
 * holds nothing.
 */
export async function bindAddresses(
  bind: BindDatagram,
  { addresses, port }: ListeningRequest,
  bufferSize: number,
): Promise<DatagramSocket[]> {
  for (let tries = port === 0 ? SAME_PORT_TRIES : 0; tries > 0; tries--) {
    try {
      return await bindEach(bind, addresses, 0, true, bufferSize);
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE") throw error;
    }
  }
  return bindEach(bind, addresses, port, false, bufferSize);
}

/** `samePort`: the addresses after the first one get the port that it got. */
async function bindEach(
  bind: BindDatagram,
  addresses: readonly string[],
  port: number,
  samePort: boolean,
  bufferSize: number,
): Promise<DatagramSocket[]> {
  const bound: DatagramSocket[] = [];
  let missing: unknown;
  try {
    for (const address of addresses) {
      const wanted = samePort ? (bound[0]?.local.port ?? port) : port;
      const socket = await bind({ address, port: wanted, bufferSize }).catch((error: unknown) => {
        if (codeOf(error) !== "EADDRNOTAVAIL") throw error;
        missing = error;
      });
      if (socket) bound.push(socket);
    }
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
  if (bound.length === 0 && missing !== undefined) throw missing;
  return bound;
}

/**
 * The one of several own addresses that packets to `remote` leave from, or undefined where only the system's routes can
 * tell: the address itself, else the one in the same subnet, else the only one of the same family and reach.
 */
export function localAddressFor(
  remote: string,
  own: readonly string[],
  interfaces: readonly NetworkInterface[],
): string | undefined {
  const target = parseIp(remote);
  if (!target) return undefined;
  if (own.includes(remote)) return remote;
  const family = own.filter((address) => ipFamily(address) === ipFamily(remote));
  const near = family.filter((address) => {
    const entry = interfaces.find((candidate) => candidate.address === withoutZone(address));
    const prefix = entry && parseIp(entry.address);
    return prefix && inSubnet(target, prefix, entry.prefix);
  });
  if (near.length > 0) return near.length === 1 ? near[0] : undefined;
  const far = family.filter((address) => !LOCAL_SCOPES.has(ipScope(address)));
  return far.length === 1 && !LOCAL_SCOPES.has(ipScope(remote)) ? far[0] : undefined;
}

/** Scopes that packets from elsewhere do not reach. */
const LOCAL_SCOPES: ReadonlySet<string> = new Set(["loopback", "link-local"]);
