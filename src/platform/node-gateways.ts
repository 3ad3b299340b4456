import { readFile } from "node:fs/promises";
import { endianness } from "node:os";

/** Flags of a route (linux/route.h): it is up, it has a gateway, and it refuses. */
const UP = 0x1;
const GATEWAY = 0x2;
const REJECT = 0x200;

/**
 * IPv4 addresses of the default gateways, best first, as Linux tells in `/proc/net/route`; none where there is no such file.
 * Never rejects.
 */
export async function ipv4Gateways(): Promise<readonly string[]> {
  const table = await readFile("/proc/net/route", "utf8").catch(() => "");
  return gatewaysIn(table, endianness() === "LE");
}

/** The same from the text of that file, whose addresses are in the byte order of the machine. */
export function gatewaysIn(table: string, littleEndian: boolean): readonly string[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(isDefault)
    .sort((a, b) => Number(a[6]) - Number(b[6]))
    .flatMap(([, , gateway = ""]) => {
      const bytes = /^[0-9A-F]{8}$/i.test(gateway) ? Array.from(Buffer.from(gateway, "hex")) : [];
      return bytes.length > 0 ? [(littleEndian ? bytes.reverse() : bytes).join(".")] : [];
    });
}

/** Fields: interface, destination, gateway, flags, two counters, metric, mask. */
function isDefault([, destination, , flags = "0", , , , mask]: readonly string[]): boolean {
  const set = Number.parseInt(flags, 16);
  return (
    destination === "00000000" && mask === "00000000" && (set & (UP | GATEWAY | REJECT)) === (UP | GATEWAY)
  );
}
