import type { LinkOptions } from "../link.ts";
import type { Network } from "../network.ts";
import { parseSubnet } from "./address.ts";
import type { FirewallOptions } from "./firewall.ts";
import type { Host } from "./host.ts";
import type { NatOptions } from "./nat.ts";
import type { Router } from "./router.ts";
import type { Segment } from "./segment.ts";

/** How to build a home. */
export interface HomeOptions {
  readonly name: string;
  /** What the router is joined to: an internet, or the LAN of another router for double NAT. */
  readonly uplink: Segment;
  /** The router's addresses there. */
  readonly outer: readonly string[];
  /** The router's inner addresses with prefix length; `192.168.1.1/24` if absent. Hosts get the next ones. */
  readonly inner?: readonly string[];
  readonly nat?: NatOptions;
  readonly firewall?: FirewallOptions;
  /** 1 if absent; named after the home, from the second on with a number. */
  readonly hosts?: number;
  /** Of the router's cable to the uplink. */
  readonly link?: LinkOptions | { readonly up: LinkOptions; readonly down: LinkOptions };
}

/** A router with the LAN behind it. */
export interface Home {
  readonly router: Router;
  readonly lan: Segment;
  readonly hosts: readonly Host[];
  /** The first host. */
  readonly host: Host;
}

/** Builds a router, its LAN and the hosts in it. */
export function home(network: Network, options: HomeOptions): Home {
  const { name, uplink, outer, inner = ["192.168.1.1/24"], nat, firewall, hosts = 1, link } = options;
  const lan = network.segment({ name: `${name}-lan` });
  const router = network.router({
    name: `${name}-router`,
    outside: { segment: uplink, addresses: outer, ...(link && { link }) },
    inside: [{ segment: lan, addresses: inner }],
    ...(nat && { nat }),
    ...(firewall && { firewall }),
  });
  const machines = Array.from({ length: hosts }, (_, index) => {
    const host = network.host({ name: index === 0 ? name : `${name}${index + 1}` });
    host.attach(lan, { addresses: inner.map((address) => following(address, index + 1)) });
    return host;
  });
  return { router, lan, hosts: machines, host: machines[0]! };
}

/** The address `count` after this one, in the same subnet. */
function following(text: string, count: number): string {
  const { address, prefix } = parseSubnet(text);
  const [, head = "", last = ""] = /^(.*[.:])([0-9a-f]+)$/.exec(address.text)!;
  const radix = head.endsWith(":") ? 16 : 10;
  return `${head}${(Number.parseInt(last, radix) + count).toString(radix)}/${prefix}`;
}
