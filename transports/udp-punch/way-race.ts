import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { dialFrom } from "../../src/host/dial.ts";
import { UtpChannel } from "../../src/host/utp-channel.ts";
import { addressKey } from "../../src/nat/candidate.ts";
import { pathOf } from "../../src/nat/path.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import { ownEndpoint, type PunchParts } from "./parts.ts";
import type { PunchPort } from "./punch-port.ts";
import type { Way } from "./punch-session.ts";

/** Ways that are dialled, and how many of them before they have answered (chosen: one is the rule, and the peer could name many). */
const MAX_WAYS = 8;
const MAX_UNPROVEN = 2;
/** The answer to a check and the one to the SYN behind it arrive so close together (chosen: an event loop's turn or two). */
const HURRY_AFTER: Millis = 20;

/** Dials uTP on the ways of a punch as they open: the first that answers stays, the others are told to forget. */
export class WayRace {
  /** Rejects when there is no way, or it was stopped. */
  readonly won: Promise<Channel>;
  readonly #parts: PunchParts;
  readonly #endpoint: Endpoint;
  readonly #context: DialContext;
  readonly #follow: (port: PunchPort, connection: UtpConnection) => () => void;
  readonly #racing = new AbortController();
  readonly #dialled = new Set<string>();
  #firstFlight: Uint8Array | undefined;
  #running = 0;
  #taken = false;
  #noMore: Error | undefined;
  #resolve!: (channel: Channel) => void;
  #reject!: (reason: unknown) => void;

  /** `follow` hears of the connection that won, and returns what to call at its end. */
  constructor(
    parts: PunchParts,
    endpoint: Endpoint,
    context: DialContext,
    follow: (port: PunchPort, connection: UtpConnection) => () => void,
  ) {
    this.#follow = follow;
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#context = context;
    this.won = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever awaits it may come later.
    this.won.catch(() => {});
  }

  /** A way has opened. Those that nobody vouches for wait until they answer. */
  enter(way: Way): void {
    const { port, remote, certainty, trusted } = way;
    const key = `${port.via} ${addressKey(remote)}`;
    if (certainty === "proven" && this.#dialled.has(key)) this.#hurry(port, remote);
    const most = certainty === "proven" ? MAX_WAYS : MAX_UNPROVEN;
    if (!trusted || this.#dialled.has(key) || this.#dialled.size >= most) return;
    if (this.#dialled.size === 0) this.#begin();
    this.#dialled.add(key);
    void this.#dial(way);
  }

  /** The first SYN may have come before the way was open, unless its answer is about to arrive. */
  #hurry(port: PunchPort, remote: Way["remote"]): void {
    const { clock } = this.#context.runtime;
    clock.setTimer(clock.now() + HURRY_AFTER, () => port.host.endpoint.hurry(remote)).unref();
  }

  #begin(): void {
    this.#context.onPhase("connect");
    this.#firstFlight = this.#context.firstFlight?.();
  }

  async #dial(way: Way): Promise<void> {
    const { port, remote } = way;
    const data = this.#firstFlight ? { data: this.#firstFlight, pad: true } : {};
    const options = { ...this.#parts.connection, ...data };
    this.#running++;
    const release = port.admit(remote);
    try {
      const channel = await dialFrom(port.shared, remote, options, this.#racing.signal, (connection) =>
        this.#take(way, connection),
      );
      if (!channel) return;
      this.#resolve(channel);
      this.#racing.abort();
    } catch {
      this.#running--;
      if (this.#noMore && this.#running === 0) this.#reject(this.#noMore);
    } finally {
      release();
    }
  }

  /** The first that is connected wins. */
  #take({ port, kind, remote }: Way, connection: UtpConnection): UtpChannel | undefined {
    if (this.#taken || this.#racing.signal.aborted) {
      connection.abort();
      return undefined;
    }
    this.#taken = true;
    return new UtpChannel({
      host: port.host,
      connection,
      remote: this.#endpoint,
      local: ownEndpoint(port.socket, remote, this.#context.runtime),
      path: pathOf(kind, remote, port.socket.local.port),
      firstFlightSent: this.#firstFlight !== undefined,
      keep: (referenced) => port.shared.keep(referenced),
      onClosed: this.#follow(port, connection),
    });
  }

  /** No other way will open: what runs decides. */
  noMore(error: Error): void {
    this.#noMore = error;
    if (this.#running === 0) this.#reject(error);
  }

  stop(reason: unknown): void {
    this.#racing.abort(reason);
    this.#reject(reason);
  }
}
