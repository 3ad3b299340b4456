import { crypto } from "#platform";
import { OnetpError } from "../../src/base/errors.ts";
import { Slots } from "../../src/base/slots.ts";
import type { Millis, Timer } from "../../src/contract/clock.ts";
import type { Dialog, Registration } from "../../src/contract/dialog.ts";
import type { ConnectionInfo } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { PortMapper } from "../../src/host/port-mapper.ts";
import { UtpChannel } from "../../src/host/utp-channel.ts";
import { reachFrom, reachIn } from "../../src/nat/reach.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import type { Follower } from "./follower.ts";
import { metEndpoint, ownEndpoint, type PunchParts, TYPE } from "./parts.ts";
import type { PunchPort } from "./punch-port.ts";
import { PunchPorts } from "./punch-ports.ts";
import { PunchSession, type Way } from "./punch-session.ts";
import { SightingList } from "./sighting-list.ts";

/** Punches under way at once, and those of one address; more dialogs are refused (chosen: each lasts a second or two). */
const MAX_SESSIONS = 256;
const MAX_SESSIONS_PER_ADDRESS = 64;
/** A dialler that has not come by then does not come (chosen: its own patience, and a signal's time). */
const SESSION_LIFETIME: Millis = 20_000;
/** How often servers are asked anew, which keeps the mapping (RFC 4787 §4.3 wants 2 min, Linux has 30 s for what is young). */
const REFRESH: Millis = 25_000;

/** Listens for dialogs and punches with whoever opens one. Rejects with what the signaling rejects with. */
export async function listenPunch(parts: PunchParts, context: ListenContext): Promise<Listener> {
  const { onDialog, runtime } = context;
  if (!onDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: TYPE });
  const ports = await PunchPorts.open(parts.bind, parts.bufferSize, runtime);
  const listener = new PunchListener(parts, context, ports);
  try {
    listener.registration = await onDialog(parts.signaling, TYPE, (dialog) => listener.meet(dialog));
    return listener;
  } catch (error) {
    await listener.close();
    throw error;
  }
}

class PunchListener implements Listener {
  registration: Registration | undefined;
  readonly #parts: PunchParts;
  readonly #context: ListenContext;
  readonly #ports: PunchPorts;
  readonly #sightings: SightingList;
  readonly #mapper: PortMapper | undefined;
  readonly #sessions = new Set<PunchSession>();
  readonly #slots = new Slots(MAX_SESSIONS, MAX_SESSIONS_PER_ADDRESS);
  /** Of accepted connections, by the passwords we had for them. */
  readonly #followers = new Map<string, Follower>();
  readonly #closed = new AbortController();
  #refresh: Timer | undefined;
  #referenced = true;
  #closing: Promise<void> | undefined;

  constructor(parts: PunchParts, context: ListenContext, ports: PunchPorts) {
    this.#parts = parts;
    this.#context = context;
    this.#ports = ports;
    this.#sightings = new SightingList(ports.ipv4, parts.stun, context.runtime);
    if (parts.portMapping && ports.ipv4) {
      const { port } = ports.ipv4.socket.local;
      this.#mapper = new PortMapper(port, context.runtime, () => {
        for (const session of this.#sessions) this.#offerMapped(session);
      });
    }
    ports.keep(true);
    for (const port of ports) {
      port.host.onLost = (error) => context.onError(error);
      this.#serve(port);
    }
    ports.onPort = (port) => this.#serve(port);
    this.#look();
  }

  get endpoints(): ConnectionInfo {
    const { registration } = this;
    return registration ? [{ transportType: TYPE, transportInfo: registration.address }] : [];
  }

  /** Keeps what servers see up to date. */
  #look(): void {
    const { clock } = this.#context.runtime;
    void this.#sightings.refresh();
    void this.#mapper?.refresh();
    const { bind, stun, knowledge } = this.#parts;
    void knowledge.refresh(bind, stun, this.#context.runtime, this.#closed.signal);
    this.#refresh = clock.setTimer(clock.now() + REFRESH, () => this.#look());
    this.#refresh.unref();
  }

  /** Somebody has opened a dialog, and may. */
  meet(dialog: Dialog): void {
    const leave = this.#closing ? undefined : this.#slots.take(dialog.observedAddress);
    if (!leave) {
      dialog.close();
      return;
    }
    const { runtime } = this.#context;
    const reach = reachIn(this.#parts.reach, this.#context);
    const session: PunchSession = new PunchSession(
      dialog.observedAddress,
      this.#ports,
      runtime,
      { opener: false, crypto, reach, nat: this.#parts.knowledge.at(runtime.clock.now()) },
      {
        onWay: (way) => this.#moveFollower(session, way),
        onOver: (error) => runtime.log("%s", error.message),
        onClose: () => {
          timer.cancel();
          forget();
          leave();
          this.#sessions.delete(session);
        },
      },
    );
    this.#sessions.add(session);
    this.#offerMapped(session);
    this.#sightings.renew();
    const forget = this.#sightings.feed(session);
    session.meet(dialog);
    const timer = runtime.clock.setTimer(runtime.clock.now() + SESSION_LIFETIME, () => session.close());
    timer.unref();
  }

  /** Where the gateway lets everybody in. If that is no public address, there is another NAT before it. */
  #offerMapped(session: PunchSession): void {
    const outer = this.#mapper?.outer;
    const reach = this.#parts.reach ?? reachFrom(this.#context.runtime.interfaces());
    if (!outer || reach(outer.address) !== "public") return;
    session.update((punch, now) => punch.addCandidate({ kind: "mapped", ...outer }, now));
  }

  /** A peer whose connection stands has opened another dialog, and proved that it is somewhere else now. */
  #moveFollower({ punch }: PunchSession, { certainty, port, remote }: Way): void {
    const follower = punch.again === undefined ? undefined : this.#followers.get(punch.again);
    if (certainty === "proven" && follower?.port === port) follower.move(remote);
  }

  #serve(port: PunchPort): void {
    port.host.listen((connection) => this.#accept(port, connection), this.#parts.connection);
  }

  #accept(port: PunchPort, connection: UtpConnection): void {
    const { remote } = connection;
    const session = [...this.#sessions].find((candidate) => candidate.knows(port, remote));
    const follower = session?.follow(port, connection);
    if (follower) this.#followers.set(follower.password, follower);
    const channel = new UtpChannel({
      host: port.host,
      connection,
      remote: metEndpoint(remote),
      local: ownEndpoint(port.socket, remote, this.#context.runtime),
      firstFlightSent: false,
      keep: (referenced) => port.shared.keep(referenced),
      onClosed: () => {
        follower?.close();
        if (follower) this.#followers.delete(follower.password);
      },
    });
    this.#context.onChannel(channel);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.unref();
    this.#refresh?.cancel();
    this.#closed.abort();
    this.registration?.close();
    for (const session of [...this.#sessions]) session.close();
    for (const { host } of this.#ports) host.stopListening();
    // Connections live on behind the mapping.
    await this.#ports.retire();
    await this.#mapper?.close();
  }

  ref(): void {
    if (!this.#closing) this.#keep(true);
  }

  unref(): void {
    this.#keep(false);
  }

  #keep(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    this.#ports.keep(referenced);
    if (referenced) this.registration?.ref();
    else this.registration?.unref();
  }
}
