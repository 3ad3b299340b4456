import { type IpAddress, inSubnet, ipFamily, ipScope, parseIp } from "../base/ip.ts";
import type { NetworkInterface } from "../contract/runtime.ts";
import type { DialContext } from "../contract/transport.ts";

/** Where a candidate may be: anywhere, near us only, or where nothing of ours may go. */
export type Reach = "public" | "private" | "forbidden";

/** The one function that says what counts as what. `address` is a canonical literal. */
export type ReachOf = (address: string) => Reach;

/**
 * The usual rule: special-purpose networks, multicast and broadcast are forbidden, and loopback too, except for a host that has no
 * other address. Whatever network we are in ourselves is private.
 */
export function reachFrom(interfaces: readonly NetworkInterface[]): ReachOf {
  const alone = interfaces.every(({ internal }) => internal);
  return (address) => {
    const scope = ipScope(address);
    if (scope === "loopback") return alone ? "private" : "forbidden";
    if (scope === "multicast" || scope === "unspecified") return "forbidden";
    if (interfaces.some((own) => isBroadcast(address, own))) return "forbidden";
    if (scope === "public") return "public";
    return scope !== "reserved" || interfaces.some((own) => isNeighbour(address, own))
      ? "private"
      : "forbidden";
  };
}

/** What a punch may send to, as things are now: by the transport's rule (absent: the usual one), and by the user's. */
export function reachIn(
  rule: ReachOf | undefined,
  { runtime, mayDial }: Pick<DialContext, "runtime" | "mayDial">,
): ReachOf {
  const usual = rule ?? reachFrom(runtime.interfaces());
  return mayDial ? (address) => (mayDial(address) ? usual(address) : "forbidden") : usual;
}

/** Whether a NAT that minds who sends first may stand before an address: not on a LAN, nor with IPv6. */
export function isOutside(address: string, reach: ReachOf): boolean {
  return ipFamily(address) === 4 && reach(address) === "public";
}

/** Whether an address is in the network that one of ours is in. */
function isNeighbour(address: string, own: NetworkInterface): boolean {
  const [ip, mine] = [parseIp(address), parseIp(own.address)];
  return !own.internal && ip !== undefined && mine !== undefined && inSubnet(ip, mine, own.prefix);
}

/** Whether an address is the one by which all of an IPv4 subnet are meant. */
function isBroadcast(address: string, own: NetworkInterface): boolean {
  if (own.family !== "IPv4" || own.prefix > 30) return false;
  const [all, mine] = [parseIp(address), parseIp(own.address)];
  if (all?.bytes.length !== 4 || !mine) return false;
  const hostBits = 2 ** (32 - own.prefix);
  return numberOf(all) === (Math.floor(numberOf(mine) / hostBits) + 1) * hostBits - 1;
}

function numberOf({ bytes }: IpAddress): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
