import { ipScope } from "../base/ip.ts";
import { ownAddresses } from "../base/listening.ts";
import type { Runtime } from "../contract/runtime.ts";

/** Own addresses of each family (chosen: more are container bridges and temporary addresses). */
const MAX_ADDRESSES = 4;

/** The own addresses of a family that make sense to a peer in a dialog: the first ones, loopback only where nothing else is. */
export function hostAddresses(family: 4 | 6, { interfaces }: Pick<Runtime, "interfaces">): readonly string[] {
  const all = interfaces();
  const alone = all.every(({ internal }) => internal);
  const usable = (address: string): boolean =>
    !address.includes("%") && (alone || ipScope(address) !== "loopback");
  return ownAddresses(all, family).filter(usable).slice(0, MAX_ADDRESSES);
}
