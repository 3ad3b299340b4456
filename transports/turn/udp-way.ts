import { OnetpError } from "../../src/base/errors.ts";
import { ipFamily } from "../../src/base/ip.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { StunPort } from "../../src/host/stun-port.ts";
import { RELAYED_PAYLOAD } from "../../src/host/turn-socket.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { addressesBehind, checkPolicy, checkRelayed, type Way, type WayContext } from "./way.ts";

/** How long a server's answer to a Binding is waited for: 1.5 s, after which UDP counts as blocked (chosen). */
const BINDING_SCHEDULE = [300, 600, 600];
/** As of the udp transport. */
const BUFFER_SIZE = 2 * 1024 * 1024;

/** Plain UDP from a socket of its own, known to the listener's server. Rejects where there is no UDP, or may be none to there. */
export async function udpWay(server: SocketAddress, context: WayContext): Promise<Way> {
  const { runtime, signal } = context;
  checkPolicy(context, server);
  if (!runtime.bindDatagram) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here" });
  const address = ipFamily(server.address) === 6 ? "::" : "0.0.0.0";
  const socket = await runtime.bindDatagram({ address, bufferSize: BUFFER_SIZE });
  const shared = new SharedHost(new UtpHost(socket, runtime, RELAYED_PAYLOAD));
  try {
    const local = await reflexiveOf(shared, server, runtime, signal);
    return {
      over: "udp",
      addresses: addressesBehind(local, runtime),
      async reach(relayed) {
        checkRelayed(context, relayed, server);
        return { shared, local };
      },
      leave: () => shared.leave(),
    };
  } catch (error) {
    shared.leave();
    throw error;
  }
}

/** Where the server sees the socket's datagrams come from. */
async function reflexiveOf(
  shared: SharedHost,
  server: SocketAddress,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<SocketAddress> {
  const { socket, demultiplexer } = shared.host;
  const port = new StunPort(socket, runtime);
  demultiplexer.stun = port;
  shared.keep(true);
  try {
    return await port.requests.binding(server, { schedule: BINDING_SCHEDULE }, signal);
  } finally {
    shared.keep(false);
    demultiplexer.stun = undefined;
    port.close();
  }
}
