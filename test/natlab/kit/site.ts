import type { Machine } from "./machine.ts";
import type { SiteKind } from "./sites.ts";

/** Stops all forwarding for as long as some other lines take. */
function paused(lines: readonly string[]): string[] {
  return [
    "nft 'table inet pause { chain forward { type filter hook forward priority -300; policy drop; }; }'",
    ...lines,
    "nft delete table inet pause",
  ];
}

/** What a router without translation does not have. conntrack fails when there is nothing to delete. */
const FORGET = [
  "! nft list table ip nat > /dev/null 2>&1 ||",
  "nft 'flush map ip nat outer; flush map ip nat inner; flush set ip nat talked'",
  "conntrack -D -p udp > /dev/null 2>&1 || true",
];

/** A place that has been built. */
export class Site {
  readonly kind: SiteKind;
  /** Outermost first. */
  readonly routers: readonly Machine[];
  readonly hosts: readonly Machine[];

  constructor(kind: SiteKind, routers: readonly Machine[], hosts: readonly Machine[]) {
    this.kind = kind;
    this.routers = routers;
    this.hosts = hosts;
  }

  /** The first host. */
  get host(): Machine {
    return this.hosts[0]!;
  }

  /** The public address of what stands outermost. */
  get outer(): string {
    return (this.routers[0] ?? this.host).address;
  }

  /** Its routers forget every mapping for UDP: where ports are random, the next ones have others. */
  forgetMappings(): void {
    for (const router of this.routers) router.run(paused(FORGET));
  }

  /** Its outermost router gets another public IPv4 address, with nothing but its last number changed. */
  renumber(last: number): void {
    const [router] = this.routers;
    if (!router) throw new Error(`a site of the kind ${this.kind} has no router`);
    const network = this.outer.replace(/\d+$/, "");
    const move = [
      "ip -4 address flush dev wan",
      `ip address add ${network}${last}/24 dev wan`,
      `ip route add default via ${network}1`,
    ];
    router.run(paused([...move, ...FORGET]));
  }
}
