import { crypto } from "#platform";
import { OnetpError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Timer } from "../../src/contract/clock.ts";
import type { SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { reachIn } from "../../src/nat/reach.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import { PunchPorts } from "./punch-ports.ts";
import { PunchSession } from "./punch-session.ts";
import { Recovery } from "./recovery.ts";
import { SightingList } from "./sighting-list.ts";
import { WayRace } from "./way-race.ts";

/** Opens a dialog to the entry and punches a way to whoever is there. */
export async function dialPunch(
  parts: PunchParts,
  endpoint: Endpoint,
  context: DialContext,
): Promise<Channel> {
  const { runtime, signal, openDialog } = context;
  const address = endpoint.transportInfo as SignalingAddress;
  if (!parts.signaling.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: TYPE });
  if (!openDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: TYPE });
  signal.throwIfAborted();
  context.onPhase("signal");
  const ports = await PunchPorts.open(parts.bind, parts.bufferSize, runtime);
  ports.keep(true);
  try {
    signal.throwIfAborted();
    // Servers are asked while the dialog opens: what they say is ready when it is wanted.
    const sightings = new SightingList(ports.ipv4, parts.stun, runtime);
    void sightings.refresh();
    return await new PunchDial(parts, endpoint, context, ports, sightings).run(openDialog);
  } finally {
    ports.keep(false);
    void ports.retire();
  }
}

/** A dialog and the punch that is told of in it, which begins with the dialog's first body. */
class PunchDial {
  readonly #parts: PunchParts;
  readonly #endpoint: Endpoint;
  readonly #context: DialContext;
  readonly #ports: PunchPorts;
  readonly #sightings: SightingList;
  readonly #race: WayRace;
  #session: PunchSession | undefined;
  #forget = (): void => {};

  constructor(
    parts: PunchParts,
    endpoint: Endpoint,
    context: DialContext,
    ports: PunchPorts,
    sightings: SightingList,
  ) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#context = context;
    this.#ports = ports;
    this.#sightings = sightings;
    this.#race = new WayRace(parts, endpoint, context, (port, connection) => {
      const follower = this.#session!.follow(port, connection);
      const recovery = new Recovery(parts, endpoint, context, ports, follower, connection);
      return () => {
        recovery.close();
        follower.close();
      };
    });
  }

  async run(openDialog: NonNullable<DialContext["openDialog"]>): Promise<Channel> {
    const { signal, onPhase } = this.#context;
    const onAbort = (): void => this.#race.stop(signal.reason);
    signal.addEventListener("abort", onAbort);
    let late: Timer | undefined;
    try {
      const address = this.#endpoint.transportInfo as SignalingAddress;
      const dialog = await openDialog(this.#parts.signaling, address, TYPE, (observed) =>
        this.#begin(observed).opening(),
      );
      const session = this.#session ?? this.#begin(dialog.observedAddress);
      session.meet(dialog);
      onPhase("punch");
      late = this.#limit(session);
      return await this.#race.won;
    } finally {
      signal.removeEventListener("abort", onAbort);
      late?.cancel();
      this.#forget();
      this.#session?.close();
    }
  }

  /** A peer that says nothing more is not waited for for ever. */
  #limit(session: PunchSession): Timer | undefined {
    const { clock } = this.#context.runtime;
    const { connectTimeout } = this.#parts;
    if (connectTimeout === 0) return undefined;
    const giveUp = (): void => this.#race.stop(session.failure("there was no time left"));
    return clock.setTimer(clock.now() + connectTimeout, giveUp);
  }

  #begin(attested: string | undefined): PunchSession {
    const { runtime } = this.#context;
    const reach = reachIn(this.#parts.reach, this.#context);
    const session = new PunchSession(
      attested,
      this.#ports,
      runtime,
      { opener: true, crypto, reach, nat: this.#parts.knowledge.at(runtime.clock.now()) },
      {
        onWay: (way) => this.#race.enter(way),
        onOver: (error) => this.#race.noMore(error),
      },
    );
    this.#session = session;
    this.#forget = this.#sightings.feed(session);
    return session;
  }
}
