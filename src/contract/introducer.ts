import type { Channel } from "./channel.ts";
import type { SocketAddress } from "./datagram-socket.ts";
import type { Runtime } from "./runtime.ts";

/** Lets the clients of a server open dialogs with each other. */
export interface Introducer {
  /**
   * A client has come; it leaves when its channel closes. `address`: the IP literal it is seen at, if that is its own.
   * Channels without lanes are passed over.
   */
  admit(client: Channel, address: string | undefined): void;
}

/** What an introducer stands on. */
export interface IntroducerOptions {
  readonly runtime: Runtime;
  /** Where the server answers STUN Binding requests. */
  stun(): readonly SocketAddress[];
  /** Carry bytes between the two ends of a dialog when both ask for it. */
  readonly relay: boolean;
}
