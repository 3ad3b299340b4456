import { crypto } from "#platform";
import { OnetpError } from "../base/errors.ts";
import { canonicalIp, ipFamily } from "../base/ip.ts";
import { openFirst } from "../base/zones.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { LongTermCredentials } from "../stun/long-term.ts";
import { ALLOCATION_MISMATCH } from "../turn/attributes.ts";
import type { TurnUser } from "../turn/rest-credentials.ts";
import { openTurnLink, type TurnWay } from "./turn-link.ts";
import { TurnSocket, turnError } from "./turn-socket.ts";

/** Servers that may send us on (chosen). */
const MAX_ALTERNATES = 4;
/** Ports that may be known to the server from somebody before us (RFC 8656 §7.4; chosen). */
const MAX_MISMATCHES = 2;

/** An allocation that is wanted. */
export interface TurnRequest {
  readonly way: TurnWay;
  readonly user: TurnUser;
  /** The family of the relayed address; the server's choice if absent. */
  readonly family?: 4 | 6;
  /** Between the server and peers: UDP if absent; over TCP (RFC 6062) the way must be a stream, too. */
  readonly peers?: "udp" | "tcp";
}

/**
 * Allocates on the server, or on the one it names instead. Rejects with ERR_1TP_TURN_REFUSED and the server's status, with the error
 * of not reaching it, or with the signal's reason; nothing is held then.
 */
export async function allocate(
  request: TurnRequest,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<TurnSocket> {
  const { host, port } = request.way;
  const addresses = await turnAddresses(host, runtime);
  signal.throwIfAborted();
  return openFirst(
    addresses,
    signal,
    (address, racing) => follow(request, { address, port }, runtime, racing),
    (late) => late.close(),
  );
}

/** The literals to try for a server's host: one of each family. */
export async function turnAddresses(host: string, runtime: Runtime): Promise<readonly string[]> {
  const literal = canonicalIp(host);
  if (literal !== undefined) return [literal];
  if (!runtime.lookup) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no names are resolved here" });
  const found = await runtime.lookup(host);
  const each = [4, 6].map((family) => found.find((address) => ipFamily(address) === family));
  return each.filter((address) => address !== undefined);
}

async function follow(
  { way, user, family, peers }: TurnRequest,
  first: SocketAddress,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<TurnSocket> {
  const asked = new Set<string>();
  let mismatches = 0;
  for (let server = first; ; ) {
    asked.add(`${server.address} ${server.port}`);
    const link = await openTurnLink(way, server, runtime, signal);
    const credentials = new LongTermCredentials({ crypto, ...user });
    const reliable = way.protocol !== "udp";
    const opened = await TurnSocket.open(
      { link, server, reliable, credentials, family, peers },
      runtime,
      signal,
    );
    if (opened instanceof TurnSocket) return opened;
    const { alternate, status } = opened;
    if (status === ALLOCATION_MISMATCH && mismatches++ < MAX_MISMATCHES) continue;
    const known = !alternate || asked.has(`${alternate.address} ${alternate.port}`);
    if (known || asked.size > MAX_ALTERNATES) throw turnError(opened, server);
    server = alternate;
  }
}
