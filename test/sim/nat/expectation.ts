import type { NatOptions } from "../../kit/network/nat.ts";

/** What is to become of a pair of NATs: the tricks by which it may connect, or why nobody can promise anything. */
export type Expectation =
  | { readonly tricks: readonly string[]; readonly most: number }
  | { readonly why: string };

/** Datagrams one side sends at most: checks of a few addresses; guesses besides; a whole run besides. */
const CHECKS = 40;
const GUESSES = CHECKS + 48;
const RUN = GUESSES + 2048;

const PLAIN = ["simultaneous", "low-ttl"];

/** By the rules of RFC 4787 alone. `mapping`: to whom the other side's view of us belongs; `filtering`: whom we let in. */
export function expectation(a: NatOptions, b: NatOptions): Expectation {
  if (isEasy(a) && isEasy(b)) return { tricks: PLAIN, most: CHECKS };
  if (isEasy(a)) return easyAndHard(a, b);
  if (isEasy(b)) return easyAndHard(b, a);
  return bothHard(a, b);
}

function isEasy({ mapping }: NatOptions): boolean {
  return mapping === "endpoint-independent";
}

/** The easy side answers the endpoint it sees, unless its filter wants to know the hard side's port beforehand. */
function easyAndHard(easy: NatOptions, hard: NatOptions): Expectation {
  if (easy.filtering !== "address-and-port-dependent")
    return { tricks: [...PLAIN, "prediction"], most: GUESSES };
  if (hard.ports !== "random") return { tricks: [...PLAIN, "prediction"], most: GUESSES };
  return { tricks: ["birthday"], most: RUN };
}

/**
 * Whom one lets in, whoever it is, it answers from an endpoint nobody has seen: the other one must let in by address, and one of the
 * two must not change its endpoint with the other's port.
 */
function bothHard(a: NatOptions, b: NatOptions): Expectation {
  const open = (one: NatOptions, other: NatOptions): boolean =>
    one.filtering === "endpoint-independent" && other.filtering !== "address-and-port-dependent";
  const steady = [a, b].some(({ mapping }) => mapping === "address-dependent");
  if ((open(a, b) || open(b, a)) && steady) return { tricks: [...PLAIN, "prediction"], most: GUESSES };
  return { why: "each side's endpoint depends on the other's, which nobody knows" };
}
