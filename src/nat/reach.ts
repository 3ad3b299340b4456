import { type IpAddress, ipScope, parseIp } from "../base/ip.ts";
import type { NetworkInterface } from "../contract/runtime.ts";

/** Where a candidate may be: anywhere, near us only, or where nothing of ours may go. */
export type Reach = "public" | "private" | "forbidden";

/** The one function that says what counts as what. `address` is a canonical literal. */
export type ReachOf = (address: string) => Reach;

/**
 * The usual rule: special-purpose networks, multicast and broadcast are forbidden, and loopback too, except for a host that has no
 * other address.
 */
export function reachFrom(interfaces: readonly NetworkInterface[]): ReachOf {
  const alone = interfaces.every(({ internal }) => internal);
  return (address) => {
    switch (ipScope(address)) {
      case "public":
        return "public";
      case "private":
      case "link-local":
        return interfaces.some((own) => isBroadcast(address, own)) ? "forbidden" : "private";
      case "loopback":
        return alone ? "private" : "forbidden";
      default:
        return "forbidden";
    }
  };
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
