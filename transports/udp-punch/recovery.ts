import { crypto } from "#platform";
import type { Instant, Millis, Timer } from "../../src/contract/clock.ts";
import type { SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { reachIn } from "../../src/nat/reach.ts";
import { lowTtl } from "../../src/nat/tricks/low-ttl.ts";
import { prediction } from "../../src/nat/tricks/prediction.ts";
import { simultaneous } from "../../src/nat/tricks/simultaneous.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import type { Follower } from "./follower.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import type { PunchPorts } from "./punch-ports.ts";
import { PunchSession, type Way } from "./punch-session.ts";
import { SightingList } from "./sighting-list.ts";

/** How often a connection is looked at (chosen). */
const LOOK: Millis = 1000;
/** A peer that owes an answer for that long may have been moved (chosen: several retransmissions). */
const SILENCE: Millis = 2500;
/** Between two tries; the connection itself gives up after 30 s (chosen). */
const PAUSE: Millis = 8000;

/** The tricks that work from the socket the connection has. */
const TRICKS = [simultaneous, lowTtl, prediction];

/**
 * Notices that a connection we dialled has fallen silent, as when a NAT on either side has moved and the other one does not let strangers in, and
 * punches anew over another dialog, from the same socket. Both sides then go on where they were.
 */
export class Recovery {
  readonly #parts: PunchParts;
  readonly #endpoint: Endpoint;
  readonly #context: DialContext;
  readonly #ports: PunchPorts;
  readonly #follower: Follower;
  readonly #connection: UtpConnection;
  #timer: Timer | undefined;
  #pausedUntil: Instant = Number.NEGATIVE_INFINITY;
  #session: PunchSession | undefined;
  /** A dialog is being opened. */
  #busy = false;
  #closed = false;

  constructor(
    parts: PunchParts,
    endpoint: Endpoint,
    context: DialContext,
    ports: PunchPorts,
    follower: Follower,
    connection: UtpConnection,
  ) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#context = context;
    this.#ports = ports;
    this.#follower = follower;
    this.#connection = connection;
    // What has no mapping that servers see cannot be told of.
    if (follower.port === ports.ipv4 || follower.port === ports.ipv6) this.#look();
  }

  #look(): void {
    const { clock } = this.#context.runtime;
    const now = clock.now();
    if (this.#isSilent(now) && now >= this.#pausedUntil && !this.#busy) {
      this.#session?.close();
      this.#pausedUntil = now + PAUSE;
      void this.#punch();
    }
    this.#timer = clock.setTimer(now + LOOK, () => this.#look());
    this.#timer.unref();
  }

  #isSilent(now: Instant): boolean {
    const { keepAlive } = this.#parts.connection;
    const silence = now - this.#connection.heardAt;
    if (this.#connection.unacknowledged > 0) return silence > SILENCE;
    return typeof keepAlive === "number" && silence > keepAlive + SILENCE;
  }

  /** Whether it works out or not, nothing is told: the connection goes on, or gives up by itself. */
  async #punch(): Promise<void> {
    const address = this.#endpoint.transportInfo as SignalingAddress;
    const { openDialog } = this.#context;
    this.#busy = true;
    try {
      const dialog = await openDialog?.(this.#parts.signaling, address, TYPE, (observed) =>
        this.#begin(observed).opening(),
      );
      if (dialog) (this.#session ?? this.#begin(dialog.observedAddress)).meet(dialog);
    } catch {
      this.#session?.close();
    } finally {
      this.#busy = false;
    }
    if (this.#closed) this.#session?.close();
  }

  #begin(attested: string | undefined): PunchSession {
    const { runtime } = this.#context;
    const sightings = new SightingList(this.#ports.ipv4, this.#parts.stun, runtime);
    const session = new PunchSession(
      attested,
      this.#ports,
      runtime,
      {
        opener: true,
        crypto,
        reach: reachIn(this.#parts.reach, this.#context),
        again: this.#follower.remotePassword,
        tricks: TRICKS,
      },
      {
        onWay: (way) => this.#take(way),
        onOver() {},
        onClose: () => {
          forget();
          this.#session = undefined;
        },
      },
    );
    this.#session = session;
    const forget = sightings.feed(session);
    void sightings.refresh();
    return session;
  }

  #take({ certainty, port, remote }: Way): void {
    if (certainty !== "proven" || port !== this.#follower.port) return;
    this.#follower.move(remote);
    this.#session?.close();
  }

  /** The connection is over. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#session?.close();
  }
}
