import { codeOf, systemError } from "../../src/base/errors.ts";
import type { ChannelPath } from "../../src/contract/channel.ts";
import type { Clock, Instant, Millis, Timer } from "../../src/contract/clock.ts";
import type { LinkChannel, MessageLink } from "../../src/host/link-channel.ts";
import type { Peer } from "./peer.ts";

/** How long leaving waits while nothing moves (DESIGN §4: what a channel lingers at most). */
export const LINGER: Millis = 5_000;

/** How often is looked whether all has been sent (chosen: there is no event for it). */
const DRAIN_LOOK: Millis = 20;

/** The first word, of the end that accepted: what is sent to it before may overtake itself in `wrtc` (m). */
const READY = "ready";

/** The last word of an end that leaves in good order: all before it has been sent. */
const BYE = "bye";

/** The last word of an end that aborts. */
const RESET = "reset";

/**
 * A connected peer as what a channel stands on. Whoever leaves says a last word and sends no more; whoever hears it takes the
 * connection down. `send` in `wrtc` takes the process down if the other end closes meanwhile (m), so nobody closes under it.
 */
export class PeerLink implements MessageLink {
  readonly maxMessage: number;
  /** `send` of a data channel copies. */
  readonly lent = false;
  path: ChannelPath | undefined;
  readonly #peer: Peer;
  readonly #clock: Clock;
  #leaving = false;
  /** The channel knows that the link is gone. */
  #told = false;
  #failure: Error | undefined;
  #linger: Timer | undefined;

  constructor(peer: Peer, maxMessage: number, clock: Clock) {
    this.maxMessage = maxMessage;
    this.#peer = peer;
    this.#clock = clock;
  }

  /** Says that we can be sent to. */
  greet(): void {
    this.send(READY);
  }

  /** From now on the channel hears what comes, after the greeting that `onReady` waits for. */
  feed(channel: LinkChannel, onReady?: () => void): void {
    let greeted = onReady;
    this.#peer.on("data", (message) => {
      if (message === BYE || message === RESET) {
        this.#leaving = true;
        this.#tell(channel, message === BYE);
        this.#drain(this.#clock.now() + LINGER);
      } else if (message === READY && greeted) {
        greeted();
        greeted = undefined;
      } else {
        channel.received(message);
      }
    });
    this.#peer.on("error", (error) => {
      // The network has gone silent; other failures are the peer's doing.
      const silent =
        codeOf(error) === "ERR_ICE_CONNECTION_FAILURE" || codeOf(error) === "ERR_CONNECTION_FAILURE";
      this.#failure = silent ? systemError("ETIMEDOUT", "read") : undefined;
    });
    this.#peer.on("close", () => {
      this.#leaving = true;
      this.#linger?.cancel();
      this.#tell(channel, false);
    });
  }

  #tell(channel: LinkChannel, inOrder: boolean): void {
    if (this.#told) return;
    this.#told = true;
    channel.closed(inOrder, this.#failure);
  }

  /** Of a connection that is taken down with much under way the other end may not be told, and wait for a word. */
  #drain(until: Instant): void {
    const now = this.#clock.now();
    if (this.#peer.bufferSize === 0 || now >= until) this.#peer.destroy();
    else {
      this.#linger?.cancel();
      this.#linger = this.#clock.setTimer(now + DRAIN_LOOK, () => this.#drain(until));
    }
  }

  send(message: string | Uint8Array): void {
    if (this.#leaving) return;
    try {
      this.#peer.send(message);
    } catch {
      // The data channel has closed, which is told in a moment.
    }
  }

  close(): void {
    this.#leave(BYE);
  }

  terminate(): void {
    this.#leave(RESET);
  }

  #leave(word: string): void {
    if (this.#leaving) return;
    const { bufferSize } = this.#peer;
    this.send(word);
    this.#leaving = true;
    this.#await(bufferSize);
  }

  /** Waits for the peer to take the connection down, for as long as it takes what was sent. */
  #await(buffered: number): void {
    this.#linger = this.#clock.setTimer(this.#clock.now() + LINGER, () => {
      const { bufferSize } = this.#peer;
      if (bufferSize < buffered) this.#await(bufferSize);
      else this.#peer.destroy();
    });
  }

  /** An implementation keeps the process alive as long as it has connections, and does not ask. */
  ref(): void {}

  unref(): void {}
}
