import type { Channel } from "../../src/contract/channel.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";

/** An allocation that accepts connections. */
export interface Relay {
  /** Where diallers connect to. */
  readonly local: SocketAddress;
  /** The server has no such allocation any more. */
  readonly lost: boolean;
  /** Lets in who has that IP address. Rejects with ERR_1TP_TURN_REFUSED and the server's status. */
  permit(address: string): Promise<void>;
  /** Whether it keeps the process alive; not at first. */
  keep(referenced: boolean): void;
  /** Accepts nothing more. Resolves when the allocation is given back, or held by nothing but channels in use. */
  retire(): Promise<void>;
}

/** Whom a relay tells what happens. */
export interface RelayOwner {
  onChannel(channel: Channel): void;
  /** The allocation is gone against our will. */
  onLost(error: Error): void;
}
