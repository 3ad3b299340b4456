import { OnetpError } from "../../src/base/errors.ts";
import { ipFamily, ipScope } from "../../src/base/ip.ts";
import { ownAddresses } from "../../src/base/listening.ts";
import type { DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { StunPort } from "../../src/host/stun-port.ts";
import { RELAYED_PAYLOAD } from "../../src/host/turn-socket.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { allocateOn, type TurnParts } from "./parts.ts";
import { isUsable, MAX_ADDRESSES } from "./signals.ts";

/** How long a server's answer to a Binding is waited for: 1.5 s, after which UDP counts as blocked (chosen). */
const BINDING_SCHEDULE = [300, 600, 600];
/** As of the udp transport. */
const BUFFER_SIZE = 2 * 1024 * 1024;

const FORBIDDEN = "the dial policy forbids it";

/** A way for datagrams to a relay. */
export interface Way {
  readonly shared: SharedHost;
  /** Where the relay, or its server, sees them come from. */
  readonly local: SocketAddress;
  /** The addresses they may come from. */
  readonly addresses: readonly string[];
  /** What has to be done before the relay there can be heard. */
  prepare(relayed: SocketAddress): Promise<void>;
}

/** Plain UDP from a socket of its own, known to the listener's server. Rejects where there is no UDP, or may be none to there. */
export async function plainWay(
  server: SocketAddress,
  { runtime, signal, mayDial = () => true }: Pick<DialContext, "runtime" | "signal" | "mayDial">,
): Promise<Way> {
  if (!mayDial(server.address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: FORBIDDEN });
  if (!runtime.bindDatagram) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here" });
  const family = ipFamily(server.address) === 6 ? 6 : 4;
  const address = family === 6 ? "::" : "0.0.0.0";
  const socket = await runtime.bindDatagram({ address, bufferSize: BUFFER_SIZE });
  const shared = new SharedHost(new UtpHost(socket, runtime, RELAYED_PAYLOAD));
  try {
    const reflexive = await reflexiveOf(shared, server, runtime, signal);
    const own = ownAddresses(runtime.interfaces(), family).filter(isUsable);
    const addresses = [...new Set([reflexive.address, ...own])].slice(0, MAX_ADDRESSES);
    return {
      shared,
      local: reflexive,
      addresses,
      async prepare(relayed) {
        if (!isAsPublic(relayed.address, server.address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
        if (!mayDial(relayed.address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: FORBIDDEN });
      },
    };
  } catch (error) {
    shared.retire();
    throw error;
  }
}

/** A stranger names the relay: it may not be nearer to us than the server that has answered, which may be our own. */
function isAsPublic(relayed: string, server: string): boolean {
  const [scope, known] = [ipScope(relayed), ipScope(server)];
  return scope === "public" || scope === known || known === "loopback";
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

/** An allocation of our own: relay to relay, for who has no UDP or not the relay's family. */
export async function allocatedWay(parts: TurnParts, runtime: Runtime, signal: AbortSignal): Promise<Way> {
  const socket = await allocateOn(parts, runtime, signal);
  return {
    shared: new SharedHost(new UtpHost(socket as DatagramSocket, runtime)),
    local: socket.local,
    addresses: [socket.local.address],
    prepare: ({ address }) => socket.permit(address),
  };
}
