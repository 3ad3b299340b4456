import type { Outcome } from "../programs/peer.ts";
import type { RouterOptions } from "./router.ts";
import { SITES, type SiteKind, type SiteOptions } from "./sites.ts";

/** The kinds of site in the words of the README. */
export const CLASSES: Readonly<Record<string, readonly SiteKind[]>> = {
  public: ["public"],
  "easy, open": ["easy-full", "easy-address"],
  easy: ["easy-port", "easy-random", "easy-rejecting", "easy-accepting", "double"],
  "hard, sequential": ["hard-sequential"],
  hard: ["hard"],
  "IPv6 firewall": ["ipv6"],
  "UDP blocked": ["udp-blocked"],
  "TCP 443 only": ["tcp-443-only"],
};

/** What a pair of sites allows: a connection at once, one for which a port has to be guessed, one by TCP alone, or none that is direct. */
export type Goal = "direct" | "guessed" | "tcp" | "relayed";

/** What the NATs and firewalls of two sites allow. */
export function goalOf(one: SiteKind, other: SiteKind): Goal {
  const [a, b] = [sightOf(SITES[one]), sightOf(SITES[other])];
  const families = a.families.filter((family) => b.families.includes(family));
  if (families.length === 0) return "relayed";
  if (a.blocks || b.blocks) return isTcpLeft(a) && isTcpLeft(b) ? "tcp" : "relayed";
  if (families.includes(6)) return "direct";
  if (a.hard && b.hard) return "relayed";
  const guess = (hard: Sight, easy: Sight): boolean => hard.hard === "random" && easy.closed;
  return guess(a, b) || guess(b, a) ? "guessed" : "direct";
}

/** Whether TCP comes out of a site by a port that servers can tell, or a peer can guess. */
function isTcpLeft({ blocks, hard }: Sight): boolean {
  return blocks !== "all but TCP to port 443" && hard !== "random";
}

/** A site as its peers see it. */
interface Sight {
  readonly families: readonly (4 | 6)[];
  /** What does not get out. */
  readonly blocks: RouterOptions["blocks"];
  /** Every peer sees another port of it: any, or the one after the last. */
  readonly hard: "random" | "sequential" | undefined;
  /** Answers only get in from where its host has sent to, port included. */
  readonly closed: boolean;
}

function sightOf({ routers, families = [4] }: SiteOptions): Sight {
  const hard = routers.find(({ nat }) => nat?.mapping === "address-and-port-dependent")?.nat;
  return {
    families,
    blocks: routers.find(({ blocks }) => blocks !== undefined)?.blocks,
    hard: hard && (hard.ports === "sequential" ? "sequential" : "random"),
    closed: routers.some(({ nat }) => nat?.filtering === "address-and-port-dependent"),
  };
}

/** Of guessed connections one in twenty may fail; in ms, all others come within the first and half within the second. */
const GUESSED = { share: 0.95, limit: 10_000, median: 1_000 };

/** What is wrong with how a pair's tries ended, if anything. */
export function faultOf(goal: Goal, outcomes: readonly Outcome[]): string | undefined {
  const connected = outcomes.filter(({ transport }) => transport !== undefined);
  const error = outcomes.find(({ error }) => error !== undefined)?.error;
  const share = goal === "guessed" ? GUESSED.share : 1;
  if (connected.length < Math.floor(share * outcomes.length)) return error;
  if (goal === "guessed") {
    if (connected.some(({ took }) => took > GUESSED.limit)) return `one took more than ${GUESSED.limit} ms`;
    if (medianOf(connected) > GUESSED.median) return `half took more than ${GUESSED.median} ms`;
  }
  const way = goal === "tcp" ? "tcp-punch" : "udp-punch";
  const detour = goal !== "relayed" && connected.find(({ transport }) => transport !== way);
  return detour ? `one went through ${detour.transport}` : undefined;
}

/** How tries ended, with the median time to `connect`: `20/20, 270 ms`, or `20/20 by relay, 700 ms`. */
export function summaryOf(outcomes: readonly Outcome[]): string {
  const connected = outcomes.filter(({ transport }) => transport !== undefined);
  if (connected.length === 0) return `0/${outcomes.length}`;
  const ways = [...new Set(connected.map(({ transport }) => transport))].filter((way) => way !== "udp-punch");
  const detour = ways.length > 0 ? ` by ${ways.sort().join(", ")}` : "";
  return `${connected.length}/${outcomes.length}${detour}, ${Math.round(medianOf(connected))} ms`;
}

function medianOf(outcomes: readonly Outcome[]): number {
  const times = outcomes.map(({ took }) => took).sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? 0;
}
