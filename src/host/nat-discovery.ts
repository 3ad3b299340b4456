import { drive } from "../base/drive.ts";
import type { Millis } from "../contract/clock.ts";
import type { DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { NatBehaviour } from "../nat/behaviour.ts";
import { Discovery, type DiscoveryEvent } from "../nat/discovery.ts";
import { type LifetimeDatagram, type LifetimeEvent, LifetimeSearch } from "../nat/lifetime.ts";

/**
 * Discovers the NATs before a socket that has talked to nobody, which it closes in the end. `onNews` hears what is known so far;
 * resolves with all that could be learned, in some seconds, or when `signal` aborts. Does not keep the process alive.
 */
export function discoverNat(
  socket: DatagramSocket,
  servers: readonly SocketAddress[],
  runtime: Runtime,
  onNews: (nat: NatBehaviour) => void = () => {},
  signal?: AbortSignal,
): Promise<NatBehaviour> {
  return new Promise((resolve) => {
    const { random, clock } = runtime;
    const discovery = new Discovery({ random, servers, localPort: socket.local.port });
    let known: NatBehaviour = {};
    const finish = (): void => {
      driven.stop();
      socket.close();
      signal?.removeEventListener("abort", finish);
      resolve(known);
    };
    const driven = drive<DiscoveryEvent, { data: Uint8Array; remote: SocketAddress }>(
      discovery,
      clock,
      ({ data, remote }) => void socket.send(data, remote),
      ({ nat, done }) => {
        known = nat;
        if (done) finish();
        else onNews(nat);
      },
    );
    driven.unref();
    socket.unref();
    socket.attach({
      onDatagram(data, remote) {
        discovery.handleDatagram({ data, remote }, clock.now());
        driven.wake();
      },
      onClose: finish,
    });
    signal?.addEventListener("abort", finish);
    driven.wake();
    if (signal?.aborted) finish();
  });
}

/**
 * Measures how long the NAT before two sockets keeps an idle mapping, by a server that speaks RFC 5780; closes the sockets in the end.
 * Resolves with ms, in some minutes, or with undefined if it cannot be measured. Does not keep the process alive.
 */
export function measureLifetime(
  sockets: readonly [measured: DatagramSocket, asking: DatagramSocket],
  server: SocketAddress,
  { random, clock }: Runtime,
): Promise<Millis | undefined> {
  return new Promise((resolve) => {
    const search = new LifetimeSearch({ random, server }, clock.now());
    const driven = drive<LifetimeEvent, LifetimeDatagram>(
      search,
      clock,
      ({ data, remote, via }) => void sockets[via]?.send(data, remote),
      ({ lifetime }) => {
        driven.stop();
        for (const socket of sockets) socket.close();
        resolve(lifetime);
      },
    );
    driven.unref();
    for (const [via, socket] of sockets.entries()) {
      socket.unref();
      socket.attach({
        onDatagram(data, remote) {
          search.handleDatagram({ data, remote }, via, clock.now());
          driven.wake();
        },
      });
    }
    driven.wake();
  });
}
