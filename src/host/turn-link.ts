import { tcp, tls } from "#platform";
import { OnetpError, systemError } from "../base/errors.ts";
import { ipFamily } from "../base/ip.ts";
import type { Millis } from "../contract/clock.ts";
import type { DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { StreamFrames } from "../stun/framing.ts";
import type { TurnServer } from "../turn/server.ts";
import { FramedSocket } from "./framed-socket.ts";
import { connected, type NetSocket } from "./stun-stream.ts";

/** How long a server may take to accept a connection (chosen, as for an allocation). */
const CONNECT_TIMEOUT: Millis = 5000;
/** A receive buffer that carries a fast sender through a pause of the event loop (as of the udp transport). */
const BUFFER_SIZE = 2 * 1024 * 1024;
/** The largest frame a server has reason to send: ChannelData or a Data indication with a datagram of UDP. */
const MAX_FRAME = 65_535 + 64;

/** How to reach a server: where it is, and by whose certificates it is known over TLS. */
export interface TurnWay extends TurnServer {
  /** PEM; the system's if absent. */
  readonly ca?: string | undefined;
}

/** A socket of frames to the server at that address. Rejects with a system error, a code, or the signal's reason. */
export async function openTurnLink(
  way: TurnWay,
  to: SocketAddress,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<DatagramSocket> {
  signal.throwIfAborted();
  if (way.protocol !== "udp") {
    const framing = new StreamFrames({ channelData: true, maxSize: MAX_FRAME });
    return new FramedSocket(await connectStream(way, to, runtime, signal), to, framing);
  }
  if (!runtime.bindDatagram) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here" });
  const address = ipFamily(to.address) === 6 ? "::" : "0.0.0.0";
  const socket = await runtime.bindDatagram({ address, connect: to, bufferSize: BUFFER_SIZE });
  if (!signal.aborted) return socket;
  socket.close();
  throw signal.reason;
}

/** A connection to that address by TCP, or by TLS to whom the way names. Rejects as `openTurnLink`. */
export async function connectStream(
  way: TurnWay,
  to: SocketAddress,
  { clock, tcp: mayConnect = false }: Runtime,
  signal: AbortSignal,
  timeout = CONNECT_TIMEOUT,
): Promise<NetSocket> {
  if (!mayConnect) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no TCP here" });
  const late = new AbortController();
  const giveUp = (): void => late.abort(signal.reason);
  signal.addEventListener("abort", giveUp);
  const timer = clock.setTimer(clock.now() + timeout, () =>
    late.abort(systemError("ETIMEDOUT", "connect", to.address, to.port)),
  );
  try {
    return way.protocol === "tls" ? await secure(way, to, late.signal) : await plain(to, late.signal);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", giveUp);
  }
}

async function plain({ address, port }: SocketAddress, signal: AbortSignal) {
  if (!tcp) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no TCP here" });
  return connected(tcp.connect({ host: address, port, noDelay: true }), "connect", signal);
}

/** Whatever address it is, the certificate has to be that of the name we were given (RFC 8489 §10). */
async function secure({ host, ca }: TurnWay, { address, port }: SocketAddress, signal: AbortSignal) {
  if (!tls) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no TLS here" });
  const { connect, checkServerIdentity } = await tls();
  signal.throwIfAborted();
  const socket = connect({
    host: address,
    port,
    ...(ipFamily(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
  });
  socket.setNoDelay(true);
  return connected(socket, "secureConnect", signal);
}
