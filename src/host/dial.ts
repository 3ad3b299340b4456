import { systemError } from "../base/errors.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { UtpConnection } from "../utp/connection.ts";
import type { ConnectionOptions } from "../utp/options.ts";
import type { UtpHost } from "./utp-host.ts";

/** Where dials leave from. */
export interface DialOrigin {
  readonly host: UtpHost;
  /** Somebody more, or less, wants the process to stay alive. */
  keep(referenced: boolean): void;
}

/**
 * Dials, and resolves with what `take` makes of the connection when it is up. Rejects with the connection's error or the
 * signal's reason; the peer is then told to forget.
 */
export function dialFrom<Taken>(
  origin: DialOrigin,
  remote: SocketAddress,
  options: ConnectionOptions,
  signal: AbortSignal,
  take: (connection: UtpConnection) => Taken,
): Promise<Taken> {
  const connection = origin.host.connect(remote, options);
  origin.keep(true);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      origin.keep(false);
    };
    const onAbort = (): void => connection.abort();
    signal.addEventListener("abort", onAbort);
    connection.sink = {
      onConnected() {
        const taken = take(connection);
        settle();
        resolve(taken);
      },
      onReadable() {},
      onDrain() {},
      onEnd() {},
      onClosed(error) {
        settle();
        reject(signal.aborted ? signal.reason : (error ?? systemError("ECONNABORTED", "connect")));
      },
    };
  });
}
