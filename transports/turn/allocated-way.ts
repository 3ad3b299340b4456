import { SharedHost } from "../../src/host/shared-host.ts";
import { allocate } from "../../src/host/turn-allocate.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { requestOn, type TurnParts } from "./parts.ts";
import type { Way, WayContext } from "./way.ts";

/** An allocation of our own: relay to relay, for who has no UDP or not the relay's family. */
export async function allocatedWay(parts: TurnParts, { runtime, signal }: WayContext): Promise<Way> {
  const socket = await allocate(requestOn(parts, {}, runtime), runtime, signal);
  const shared = new SharedHost(new UtpHost(socket, runtime));
  const { local } = socket;
  return {
    over: "udp",
    addresses: [local.address],
    async reach({ address }) {
      await socket.permit(address);
      return { shared, local };
    },
    leave: () => shared.leave(),
  };
}
