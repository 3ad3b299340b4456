import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { StunServers } from "../../src/host/stun-servers.ts";
import type { Sighting } from "../../src/nat/sighting.ts";
import { datagramSchedule } from "../../src/stun/transaction.ts";
import type { PunchPort } from "./punch-port.ts";

/** Four questions within a second and a half: a punch does not wait longer (chosen). */
const SCHEDULE = datagramSchedule(200, 4);

/**
 * Asks servers where they see a port. `onSightings` hears all that have answered so far, in the order they were asked, whenever
 * another one has; resolves when all have answered or failed.
 */
export async function askServers(
  port: PunchPort,
  servers: StunServers,
  runtime: Runtime,
  onSightings: (sightings: readonly Sighting[], latest: Sighting) => void,
): Promise<void> {
  const addresses = await servers.addresses(runtime);
  const local = port.socket.local.port;
  const seen: (Sighting | undefined)[] = [];
  await Promise.all(
    addresses.map(async (server: SocketAddress, index) => {
      const mapped = await port.stun.requests.binding(server, { schedule: SCHEDULE }).catch(() => undefined);
      if (!mapped) return;
      const latest = { server, local, mapped };
      seen[index] = latest;
      onSightings(
        seen.filter((sighting) => sighting !== undefined),
        latest,
      );
    }),
  );
}
