import type { Runtime } from "../contract/runtime.ts";
import { ipFamily, ipScope } from "./ip.ts";
import { linkLocalZones } from "./listening.ts";

/** The literals an address may mean here: itself, or a link-local one without zone in every zone it may be in. */
export function zonedAddresses(address: string, runtime: Runtime): readonly string[] {
  if (ipFamily(address) !== 6 || address.includes("%") || ipScope(address) !== "link-local") return [address];
  const zones = linkLocalZones(runtime.interfaces());
  return zones.length === 0 ? [address] : zones.map((zone) => `${address}%${zone}`);
}

/**
 * Opens to all addresses at once: the first success stays, later ones are given to `discard`, the rest are aborted. Rejects
 * as the first address does.
 */
export async function openFirst<Opened>(
  addresses: readonly string[],
  signal: AbortSignal,
  open: (address: string, signal: AbortSignal) => Promise<Opened>,
  discard: (late: Opened) => void,
): Promise<Opened> {
  if (addresses.length === 1) return open(addresses[0]!, signal);
  const racing = new AbortController();
  const stop = (): void => racing.abort(signal.reason);
  signal.addEventListener("abort", stop);
  let winner: { readonly opened: Opened } | undefined;
  const attempts = addresses.map(async (address) => {
    const opened = await open(address, racing.signal);
    if (winner) discard(opened);
    winner ??= { opened };
    racing.abort();
    return winner.opened;
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    throw (error as AggregateError).errors[0];
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
