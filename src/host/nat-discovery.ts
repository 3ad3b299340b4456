import { drive } from "../base/drive.ts";
import type { DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { NatBehaviour } from "../nat/behaviour.ts";
import { Discovery, type DiscoveryEvent } from "../nat/discovery.ts";

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
