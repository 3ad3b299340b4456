import type { NatOptions, RouterOptions } from "./router.ts";

/** Hosts and what stands between them and the core. */
export interface SiteOptions {
  /** Outermost first; none: the hosts have public addresses. */
  readonly routers: readonly RouterOptions[];
  /** On the LAN of the innermost router; 1 if absent. */
  readonly hosts?: number;
  /** IP versions the site speaks; 4 if absent. */
  readonly families?: readonly (4 | 6)[];
}

const EASY: NatOptions = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "preserving",
};
const HARD: NatOptions = { ...EASY, mapping: "address-and-port-dependent", ports: "random" };

function behind(nat: NatOptions, others: Partial<RouterOptions> = {}): SiteOptions {
  return { routers: [{ nat, unsolicited: "dropped", ...others }] };
}

/** The kinds of site there are. A new one is a line here and what it should be in `kinds.test.ts`. */
export const SITES = {
  public: { routers: [], families: [4, 6] },
  /** Lets everybody in through a mapping. */
  "easy-full": behind({ ...EASY, filtering: "endpoint-independent", ports: "random" }),
  "easy-address": behind({ ...EASY, filtering: "address-dependent", ports: "random" }),
  /** Most homes. */
  "easy-port": behind(EASY),
  "easy-random": behind({ ...EASY, ports: "random" }),
  "easy-rejecting": behind(EASY, { unsolicited: "rejected" }),
  "easy-accepting": behind(EASY, { unsolicited: "accepted" }),
  /** A home behind a carrier's NAT. */
  double: { routers: [...behind({ ...EASY, ports: "random" }).routers, ...behind(EASY).routers] },
  "short-lived": behind({ ...EASY, ports: "random", lifetime: 10 }),
  hard: behind(HARD),
  /** A hard NAT whose hosts may ask for mappings. */
  "hard-mapping": behind(HARD, { mapsPorts: true }),
  "hard-sequential": behind({ ...HARD, ports: "sequential" }),
  /** IPv6 alone, behind a stateful firewall. */
  ipv6: { routers: [{ unsolicited: "dropped" }], families: [6] },
  "udp-blocked": behind(EASY, { blocks: "UDP" }),
  "tcp-443-only": behind(EASY, { blocks: "all but TCP to port 443" }),
  /** Two hosts that meet inside; their router does or does not turn their packets round. */
  "same-hairpin": { ...behind({ ...EASY, ports: "random", hairpin: true }), hosts: 2 },
  "same-plain": { ...behind(EASY), hosts: 2 },
} satisfies Record<string, SiteOptions>;

/** The name of a kind of site. */
export type SiteKind = keyof typeof SITES;
