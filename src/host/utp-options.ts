import { checkOptional, rangeError } from "../base/argument.ts";
import type { Millis } from "../contract/clock.ts";
import type { ConnectionOptions } from "../utp/options.ts";
import { checkConnectionOptions } from "../utp/settings.ts";

/** A receive buffer of this size carries a fast sender through a pause of the event loop (measured: PEERS). */
const BUFFER_SIZE = 2 * 1024 * 1024;

/** Options that every transport has whose bytes go by uTP. */
export interface UtpOptions {
  /** Send small writes at once (no Nagle algorithm); default true. */
  readonly noDelay?: boolean;
  /** Congestion controller: `bbr` (default), which takes its share of the link, or `ledbat`, which leaves it to others. */
  readonly congestion?: string;
}

/** Options that transports have besides which bind UDP sockets. */
export interface UtpSocketOptions extends UtpOptions {
  /** Idle ms after which the peer is asked whether it lives, which keeps NATs open; 0 or false: never. */
  readonly keepAlive?: Millis | false;
  /** Most payload bytes per packet; default: what the path allows. */
  readonly maxPayload?: number;
  /** Wanted size of the system's socket buffers in bytes; default 2 MiB. */
  readonly bufferSize?: number;
}

/** What each connection is made with, defaults filled in. @throws Node's argument errors for wrong options. */
export function utpConnection(options: UtpSocketOptions): ConnectionOptions {
  checkConnectionOptions(options);
  const { noDelay = true, congestion = "bbr", keepAlive, maxPayload } = options;
  return {
    noDelay,
    congestion,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(maxPayload === undefined ? {} : { maxPayload }),
  };
}

/** The option `bufferSize`, or its default. @throws Node's argument errors. */
export function utpBufferSize({ bufferSize = BUFFER_SIZE }: UtpSocketOptions): number {
  checkOptional("options.bufferSize", bufferSize, "number");
  if (Number.isInteger(bufferSize) && bufferSize > 0) return bufferSize;
  throw rangeError("options.bufferSize", "a positive integer", bufferSize);
}
