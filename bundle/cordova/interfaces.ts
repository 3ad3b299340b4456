import { ipFamily } from "../../src/base/ip.ts";
import type { NetworkInterface } from "../../src/contract/runtime.ts";
import { type ChromeInterface, globals } from "./chrome.ts";

let known: readonly NetworkInterface[] = [];

/** The addresses that were found last. There is no IPv6: `chrome-dgram` has none. */
export function interfaces(): readonly NetworkInterface[] {
  return known;
}

/** Looks for the addresses of this device. */
export async function findInterfaces(): Promise<void> {
  const found = (await askSystem()) ?? (await askPlugin()) ?? [];
  known = found
    .filter(({ address }) => ipFamily(address) === 4)
    .map(({ name, address, prefixLength }) => ({
      name,
      address,
      family: "IPv4",
      prefix: prefixLength,
      internal: address.startsWith("127."),
    }));
}

function askSystem(): Promise<readonly ChromeInterface[] | undefined> {
  const network = globals.chrome?.system?.network;
  return new Promise((resolve) => (network ? network.getNetworkInterfaces(resolve) : resolve(undefined)));
}

function askPlugin(): Promise<readonly ChromeInterface[] | undefined> {
  const plugin = globals.networkinterface;
  return new Promise((resolve) => {
    if (!plugin) return resolve(undefined);
    const onFound = (found: { readonly ip: string; readonly subnet: string }): void =>
      resolve([{ name: "wifi", address: found.ip, prefixLength: prefixOf(found.subnet) }]);
    plugin.getWiFiIPAddress(onFound, () => resolve(undefined));
  });
}

/** The length of a netmask such as 255.255.255.0. */
function prefixOf(mask: string): number {
  const bits = mask.split(".").map((byte) => Number(byte).toString(2).padStart(8, "0"));
  return bits.join("").replace(/0+$/, "").length;
}
