import { OnetpError } from "../../src/base/errors.ts";
import { ipFamily, isAsFar } from "../../src/base/ip.ts";
import { ownAddresses } from "../../src/base/listening.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import type { SharedHost } from "../../src/host/shared-host.ts";
import { isUsable, MAX_ADDRESSES } from "./signals.ts";

/** A way to a relay. */
export interface Way {
  /** What the relay has to be. */
  readonly over: "udp" | "tcp";
  /** The addresses we may come from, in the order of `RelayQuestion`. */
  readonly addresses: readonly string[];
  /** Resolves with where to dial the relay from, once that can be. Rejects where it cannot, or must not. */
  reach(relayed: SocketAddress): Promise<Origin>;
  /** Nothing more is dialled: what is open closes with the last connection. */
  leave(): void;
}

/** Where a relay is dialled from. */
export interface Origin {
  readonly shared: SharedHost;
  /** As a server or the relay sees us. */
  readonly local: SocketAddress;
}

/** What a way needs of its dial. */
export type WayContext = Pick<DialContext, "runtime" | "signal" | "mayDial">;

const FORBIDDEN = "the dial policy forbids it";

/** @throws ERR_1TP_BAD_ADDRESS if the policy forbids the address. */
export function checkPolicy({ mayDial = () => true }: WayContext, { address }: SocketAddress): void {
  if (!mayDial(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: FORBIDDEN });
}

/**
 * A stranger names the relay: it may not be nearer to us than the server that has answered, which may be our own.
 * @throws ERR_1TP_BAD_ADDRESS
 */
export function checkRelayed(context: WayContext, relayed: SocketAddress, server: SocketAddress): void {
  if (!isAsFar(relayed.address, server.address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
  checkPolicy(context, relayed);
}

/** Where a server sees us, and our own addresses of that family, which it may see where both are on one network. */
export function addressesBehind({ address }: SocketAddress, runtime: Runtime): readonly string[] {
  const family = ipFamily(address) === 6 ? 6 : 4;
  const own = ownAddresses(runtime.interfaces(), family).filter(isUsable);
  return [...new Set([address, ...own])].slice(0, MAX_ADDRESSES);
}
