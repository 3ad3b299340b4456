/** What a NAT's mapping or filter depends on (RFC 4787). */
export type Dependence = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";

/** Translation of IPv4, UDP and TCP alike, in the words of RFC 4787. */
export interface NatOptions {
  readonly mapping: "endpoint-independent" | "address-and-port-dependent";
  readonly filtering: Dependence;
  /** Which outer port a mapping gets: that of the host, any, or the one after the last mapping's. */
  readonly ports: "preserving" | "random" | "sequential";
  /** Inner hosts reach each other by their outer endpoints; false if absent. */
  readonly hairpin?: boolean;
  /** Seconds a UDP mapping outlives its last packet. Linux: 30, and 120 once there was an answer. */
  readonly lifetime?: number;
}

/** A router between the interfaces `lan` and `wan`. IPv6 passes as it is, through a stateful firewall. */
export interface RouterOptions {
  /** Absent: no IPv4 passes. */
  readonly nat?: NatOptions;
  /**
   * What becomes of a packet nobody inside has asked for. `accepted` is the conntrack trap: the router
   * remembers it, and answers itself as a host does that has no such port.
   */
  readonly unsolicited: "dropped" | "rejected" | "accepted";
  /** What hosts inside cannot send. */
  readonly blocks?: "UDP" | "all but TCP to port 443";
  /** Hosts may ask it for mappings that let everybody in, by PCP and NAT-PMP: miniupnpd serves them. False if absent. */
  readonly mapsPorts?: boolean;
}

/** Chosen: longer than any test leaves a mapping alone. */
const LIFETIME = 120;

/** Chosen: more flows than a run opens. */
const SEQUENCE = { first: 20_000, length: 4096 };

/** The rules of a router, for `nft -f`. */
export function routerRules({ nat, unsolicited, blocks, mapsPorts }: RouterOptions): string {
  return `flush ruleset
${nat ? natTable(nat) : ""}
${mapsPorts ? MAPPED_TABLE : ""}
table inet filter {
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ct state established,related accept
    ${unsolicitedRule(unsolicited)}
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ${nat ? "" : "meta nfproto ipv4 drop"}
    ${blocks ? blockingRules(blocks) : ""}
    meta nfproto ipv6 ${unsolicitedRule(unsolicited)}
  }
}
`;
}

/** miniupnpd fills these chains. */
const MAPPED_TABLE = `table inet mapped {
  chain forward { type filter hook forward priority filter - 1; }
  chain inward { type nat hook prerouting priority dstnat - 1; }
  chain outward { type nat hook postrouting priority srcnat - 1; }
}`;

/** The configuration of miniupnpd for these chains. */
export const MAPPER_SETTINGS: readonly string[] = [
  "ext_ifname=wan",
  "listening_ip=lan",
  "enable_natpmp=yes",
  "enable_upnp=no",
  "upnp_table_name=mapped",
  "upnp_nat_table_name=mapped",
  "upnp_forward_chain=forward",
  "upnp_nat_chain=inward",
  "upnp_nat_postrouting_chain=outward",
  "allow 1024-65535 192.168.1.0/24 1024-65535",
];

function unsolicitedRule(unsolicited: RouterOptions["unsolicited"]): string {
  const verdict = { dropped: "drop", rejected: "jump refuse", accepted: "accept" }[unsolicited];
  return `iifname "wan" meta l4proto { tcp, udp } ${verdict}`;
}

function blockingRules(blocks: NonNullable<RouterOptions["blocks"]>): string {
  if (blocks === "UDP") return 'iifname "lan" meta l4proto udp drop';
  return 'iifname "lan" tcp dport 443 accept\n    iifname "lan" drop';
}

/**
 * Linux by itself maps endpoint-independently as long as it preserves ports, and filters by address and port. The
 * rest is made with maps: `outer` from an inner endpoint to its outer one, `inner` from an outer port back, `talked` of
 * whom has been sent to from which outer port.
 */
function natTable({ mapping, filtering, ports, hairpin = false, lifetime = LIFETIME }: NatOptions): string {
  const mapped =
    mapping === "endpoint-independent" && !(ports === "preserving" && isPlain(filtering, hairpin));
  const life = `flags dynamic,timeout; timeout ${lifetime}s; size 65535;`;
  return `table ip nat {
  map outer { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; ${life} }
  map inner { type inet_proto . inet_service : ipv4_addr . inet_service; ${life} }
  set talked { type inet_proto . inet_service . ipv4_addr; ${life} }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ${inwardRule(filtering)}
    ${hairpin ? `iifname "lan" ip daddr != 192.168.0.0/16 fib daddr type local ${TO_INNER}` : ""}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ${mapped ? `oifname "wan" ${TO_OUTER}` : ""}
    ${hairpin ? `iifname "lan" oifname "lan" ${TO_OUTER}` : ""}
    oifname "wan" ${newMapping(ports)}
  }
  chain learn {
    type filter hook postrouting priority srcnat + 1;
    ${mapped ? LEARN : ""}
  }
}`;
}

function isPlain(filtering: Dependence, hairpin: boolean): boolean {
  return filtering === "address-and-port-dependent" && !hairpin;
}

const PORTED = "meta l4proto { tcp, udp }";
const TO_INNER = `${PORTED} dnat to meta l4proto . th dport map @inner`;
const TO_OUTER = `${PORTED} snat to meta l4proto . ip saddr . th sport map @outer`;

/** Of the connection, not of the packet, which may be on its way back. */
const INNER_ENDPOINT = "ct original ip saddr . ct original proto-src";
const LEARN = [
  `update @outer { meta l4proto . ${INNER_ENDPOINT} : ct reply ip daddr . ct reply proto-dst }`,
  `update @inner { meta l4proto . ct reply proto-dst : ${INNER_ENDPOINT} }`,
  "update @talked { meta l4proto . ct reply proto-dst . ip daddr }",
]
  .map((update) => `oifname "wan" ct direction original ${PORTED} ${update}`)
  .join("\n    ");

function inwardRule(filtering: Dependence): string {
  if (filtering === "address-and-port-dependent") return "";
  const guard = filtering === "address-dependent" ? "meta l4proto . th dport . ip saddr @talked" : "";
  return `iifname "wan" ${guard} ${TO_INNER}`;
}

function newMapping(ports: NatOptions["ports"]): string {
  if (ports === "preserving") return "masquerade";
  if (ports === "random") return "masquerade fully-random";
  const { first, length } = SEQUENCE;
  // The map is what makes a port of the number: by itself its bytes would be taken in the wrong order.
  const elements = Array.from({ length }, (_, index) => `${index} : ${first + index}`).join(", ");
  return `${PORTED} masquerade to : numgen inc mod ${length} map { ${elements} }`;
}
