import type { Millis } from "../../src/contract/clock.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { type NetSocket, StunStream } from "../../src/host/stun-stream.ts";
import { connectStream } from "../../src/host/turn-link.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { packetsOver } from "./parts.ts";
import { addressesBehind, checkPolicy, checkRelayed, type Way, type WayContext } from "./way.ts";

/** How long TCP may take to connect, to the server or the relay: 2 s, so that one SYN may be lost (chosen; RFC 6298 §2.1). */
const CONNECT_TIMEOUT: Millis = 2000;
/** As of the ways by UDP. */
const BINDING_SCHEDULE = [1500];

/** TCP to a relay on the listener's server (RFC 6062), for who has no UDP. Rejects where that server cannot be reached by TCP. */
export async function tcpWay(server: SocketAddress, context: WayContext): Promise<Way> {
  const { runtime, signal } = context;
  checkPolicy(context, server);
  const binding = new StunStream(await connect(server, context), server, runtime);
  const seen = await binding.requests
    .binding(server, { schedule: BINDING_SCHEDULE }, signal)
    .finally(() => binding.close());
  let shared: SharedHost | undefined;
  return {
    over: "tcp",
    addresses: addressesBehind(seen, runtime),
    async reach(relayed) {
      checkRelayed(context, relayed, server);
      const socket = packetsOver(await connect(relayed, context), relayed);
      shared = new SharedHost(new UtpHost(socket, runtime));
      return { shared, local: socket.local };
    },
    leave: () => shared?.leave(),
  };
}

function connect(to: SocketAddress, { runtime, signal }: WayContext): Promise<NetSocket> {
  const way = { protocol: "tcp", host: to.address, port: to.port } as const;
  return connectStream(way, to, runtime, signal, CONNECT_TIMEOUT);
}
