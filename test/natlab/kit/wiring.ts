import { inside, Machine } from "./machine.ts";
import { MAPPER_SETTINGS, type RouterOptions, routerRules } from "./router.ts";
import type { SiteOptions } from "./sites.ts";

/**
 * A subnet with a gateway. Public ones lie in ranges that are taken for public; nothing leaves the lab. Every home
 * has the same inner addresses, as in the world.
 *
 *     core ── 5.0.N.0/24, 2a00:N::/64 ── router ── 100.64.0.0/24 ── router ── 192.168.1.0/24, 2a00:N:1::/64 ── hosts
 */
interface Subnet {
  /** Namespace of the gateway, which has the number 1. */
  readonly gateway: string;
  /** The bridge there. */
  readonly bridge: string;
  /** What stands before a number to make it an address, IPv4 first. */
  readonly prefixes: readonly string[];
}

/** A site before it is built. */
export interface SitePlan {
  /** The lines of shell that build it. */
  readonly script: readonly string[];
  readonly routers: readonly Machine[];
  readonly hosts: readonly Machine[];
}

/** Lines of shell that make the core. Its device `internet` wants a program that serves it: `core.py`. */
export function coreScript(core: string): string[] {
  const rules = ["-4", "-6"].flatMap((family) => [
    `ip ${family} route add default dev internet table 100`,
    `ip ${family} rule add pref 10 iif internet lookup main`,
    `ip ${family} rule add pref 11 iif internet unreachable`,
    `ip ${family} rule add pref 20 lookup 100`,
  ]);
  const device = [
    "ip tuntap add dev internet mode tun",
    "ip link set internet addrgenmode none txqueuelen 5000 up",
    ...set("ipv4/conf/internet/accept_local", 1), // What the core itself says comes that way, too.
  ];
  return [
    ...newNamespace(core, true),
    ...inside(core, [...set("ipv4/icmp_ratelimit", 0), ...device, ...rules]),
  ];
}

/** Plans the `index`th site of a lab, 1 to 255. */
export function planSite(
  lab: string,
  index: number,
  { routers, hosts = 1, families = [4] }: SiteOptions,
): SitePlan {
  const v6 = `2a00:${index.toString(16)}`;
  const choose = (four: string, six: string): string[] =>
    families.map((family) => (family === 4 ? four : six));
  const core = `${lab}-core`;
  let subnet: Subnet = {
    gateway: core,
    bridge: `site${index}`,
    prefixes: choose(`5.0.${index}.`, `${v6}::`),
  };
  const script = newSubnet(subnet);
  if (families.includes(6)) script.push(`ip -n ${core} route add ${v6}:1::/64 via ${v6}::2`);
  const boxes: Machine[] = [];
  for (const [depth, options] of routers.entries()) {
    const gateway = `${lab}-${index}-router${depth}`;
    const inner = depth === routers.length - 1 ? "192.168.1." : "100.64.0.";
    boxes.push(new Machine(gateway, addressesIn(subnet, 2)));
    script.push(...newNamespace(gateway, true), ...plug(gateway, subnet, 2));
    subnet = { gateway, bridge: "lan", prefixes: choose(inner, `${v6}:1::`) };
    script.push(...newSubnet(subnet), ...routerScript(gateway, options));
  }
  const ends = Array.from({ length: hosts }, (_, position) => {
    const namespace = `${lab}-${index}-host${position}`;
    script.push(...newNamespace(namespace, false), ...plug(namespace, subnet, position + 2));
    return new Machine(namespace, addressesIn(subnet, position + 2));
  });
  return { script, routers: boxes, hosts: ends };
}

function addressesIn({ prefixes }: Subnet, number: number): string[] {
  return prefixes.map((prefix) => `${prefix}${number}`);
}

function newNamespace(name: string, forwards: boolean): string[] {
  const settings = [
    ...set("ipv4/conf/*/rp_filter", 0),
    ...set("ipv4/conf/*/send_redirects", 0),
    ...set("ipv6/conf/*/accept_dad", 0),
    ...set("bridge/bridge-nf-call-*tables", 0),
    ...(forwards ? [...set("ipv4/ip_forward", 1), ...set("ipv6/conf/all/forwarding", 1)] : []),
  ];
  return [`ip netns add ${name}`, ...inside(name, ["ip link set lo up", ...settings])];
}

/** Files that do not exist in a kernel need no value. */
function set(files: string, value: number): string[] {
  return [`for file in /proc/sys/net/${files}; do [ ! -e $file ] || echo ${value} > $file; done`];
}

function newSubnet(subnet: Subnet): string[] {
  const { gateway, bridge } = subnet;
  return inside(gateway, [
    `ip link add ${bridge} type bridge mcast_snooping 0`,
    ...addressesIn(subnet, 1).map((address) => `ip address add ${masked(address)} dev ${bridge}`),
    `ip link set ${bridge} up`,
  ]);
}

/** Joins a namespace to a subnet by its interface `wan`. */
function plug(namespace: string, subnet: Subnet, number: number): string[] {
  const port = `${subnet.bridge}-${number}`;
  return [
    `ip link add ${port} netns ${subnet.gateway} type veth peer name wan netns ${namespace}`,
    `ip -n ${subnet.gateway} link set ${port} master ${subnet.bridge} up`,
    `ip -n ${namespace} link set wan up`,
    ...addressesIn(subnet, number).map(
      (address) => `ip -n ${namespace} address add ${masked(address)} dev wan`,
    ),
    ...addressesIn(subnet, 1).map((address) => `ip -n ${namespace} route add default via ${address}`),
  ];
}

function masked(address: string): string {
  return address.includes(":") ? `${address}/64 nodad` : `${address}/24`;
}

function routerScript(namespace: string, options: RouterOptions): string[] {
  const lifetime = options.nat?.lifetime;
  return inside(namespace, [
    "nft -f - <<'RULES'",
    routerRules(options),
    "RULES",
    ...(lifetime ? set("netfilter/nf_conntrack_udp_timeout*", lifetime) : []),
    ...(options.mapsPorts ? MAPPER : []),
  ]);
}

/** Starts miniupnpd, with a /run of its own as it leaves a file there; it ends with its namespace. */
const MAPPER: readonly string[] = [
  "mount -t tmpfs tmpfs /run",
  "miniupnpd -f /dev/stdin > /dev/null 2>&1 <<'SETTINGS'",
  ...MAPPER_SETTINGS,
  "SETTINGS",
];
