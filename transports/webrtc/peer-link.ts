import { codeOf, systemError } from "../../src/base/errors.ts";
import type { ChannelPath } from "../../src/contract/channel.ts";
import type { Clock, Millis, Timer } from "../../src/contract/clock.ts";
import type { LinkChannel, MessageLink } from "../../src/host/link-channel.ts";
import type { Peer } from "./peer.ts";

/** How long a close waits while nothing moves (DESIGN §4: what a channel lingers at most). */
const LINGER: Millis = 5_000;

/** The first word, of the end that accepted: what is sent to it before may overtake itself in `wrtc` (m). */
const READY = "ready";

/** Our last word: all before it has been sent. Whoever hears it takes the connection down. */
const BYE = "bye";

/** A connected peer as what a channel stands on. */
export class PeerLink implements MessageLink {
  readonly maxMessage: number;
  /** `send` of a data channel copies. */
  readonly lent = false;
  path: ChannelPath | undefined;
  readonly #peer: Peer;
  readonly #clock: Clock;
  #heardBye = false;
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
      if (message === BYE) {
        this.#heardBye = true;
        this.terminate();
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
      this.#linger?.cancel();
      channel.closed(this.#heardBye, this.#failure);
    });
  }

  send(message: string | Uint8Array): void {
    try {
      this.#peer.send(message);
    } catch {
      // The data channel has closed, which is told in a moment.
    }
  }

  /** `destroy` would drop what is not sent yet. */
  close(): void {
    this.send(BYE);
    this.#await(this.#peer.bufferSize);
  }

  /** Waits for the peer to take the connection down, for as long as it takes what was sent. */
  #await(buffered: number): void {
    this.#linger = this.#clock.setTimer(this.#clock.now() + LINGER, () => {
      const { bufferSize } = this.#peer;
      if (bufferSize < buffered) this.#await(bufferSize);
      else this.terminate();
    });
  }

  terminate(): void {
    this.#peer.destroy();
  }

  /** An implementation keeps the process alive as long as it has connections, and does not ask. */
  ref(): void {}

  unref(): void {}
}
