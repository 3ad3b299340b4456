import { diagnosticsChannel } from "#platform";
import { type Drive, drive } from "../../src/base/drive.ts";
import { OnetpError } from "../../src/base/errors.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { addressKey, type CandidateKind } from "../../src/nat/candidate.ts";
import { ProbeRuns } from "../../src/nat/probe-run.ts";
import { Punch, type PunchOptions } from "../../src/nat/punch.ts";
import type { Certainty, PunchDatagram, PunchEvent } from "../../src/nat/punch-event.ts";
import type { ReachOf } from "../../src/nat/reach.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import { ExtraSockets } from "./extra-sockets.ts";
import { Follower } from "./follower.ts";
import { LEAVING, type PunchPort } from "./punch-port.ts";
import type { PunchPorts } from "./punch-ports.ts";

/** Nobody is probed twice at a time by one process, whichever transport asks. */
const RUNS = new ProbeRuns();

/** A way to the peer, as the punch tells it, with the port it goes by. */
export interface Way {
  readonly port: PunchPort;
  readonly remote: SocketAddress;
  readonly kind: CandidateKind | "learned";
  readonly certainty: Certainty;
  readonly trusted: boolean;
  readonly trick: string;
}

/** Whom a session tells. */
export interface SessionSink {
  onWay(way: Way): void;
  /** Nothing more can come: once. Not after `close`. */
  onOver(error: OnetpError): void;
  /** The session has let go of everything: once, last. */
  onClose?(): void;
}

const punchChannel = diagnosticsChannel("1tp:punch");

function wayKey({ via }: PunchPort, remote: SocketAddress): string {
  return `${via} ${addressKey(remote)}`;
}

/** Joins one punch to its sockets and the clock, and to its dialog as soon as there is one. */
export class PunchSession {
  readonly punch: Punch;
  #dialog: Dialog | undefined;
  /** What was said before there was a dialog. */
  readonly #unsent: JsonObject[] = [];
  readonly #ports: PunchPorts;
  readonly #runtime: Runtime;
  readonly #sink: SessionSink;
  readonly #drive: Drive;
  readonly #reach: ReachOf;
  readonly #admitted: (() => void)[] = [];
  readonly #extra: ExtraSockets;
  /** The tricks by which ways have opened. */
  readonly #ways = new Map<string, string>();
  readonly #promoted: PunchPort[] = [];
  #closed = false;

  constructor(
    attested: string | undefined,
    ports: PunchPorts,
    runtime: Runtime,
    options: Omit<PunchOptions, "random" | "families" | "attested" | "runs">,
    sink: SessionSink,
  ) {
    this.#ports = ports;
    this.#runtime = runtime;
    this.#sink = sink;
    this.#reach = options.reach;
    this.#extra = new ExtraSockets(ports.bind, runtime, ports, () => ports.nextVia());
    this.punch = new Punch({
      ...options,
      random: runtime.random,
      families: ports.families,
      runs: RUNS,
      attested,
    });
    this.#drive = drive<PunchEvent, PunchDatagram>(
      this.punch,
      runtime.clock,
      (datagram) => (ports.find(datagram.via) ?? this.#extra).send(datagram),
      (event) => this.#onEvent(event),
    );
    for (const candidate of ports.candidates) this.punch.addCandidate(candidate, runtime.clock.now());
    ports.join(this);
    ports.expectAnswers(this, true);
  }

  /** What the side that opens the dialog says first, with all that is known by now. */
  opening(): JsonObject {
    this.#drive.wake();
    return this.#unsent.shift() ?? {};
  }

  /** The dialog is there. Once. */
  meet(dialog: Dialog): void {
    this.#dialog = dialog;
    if (this.#closed) {
      dialog.close();
      return;
    }
    dialog.attach({
      onSignal: (body) => this.#do((now) => this.punch.handleSignal(body, now)),
      // Who has come by a way may leave the dialog: its first packets are on their way.
      onClose: (error) => (this.#ways.size > 0 ? undefined : this.#over("the peer has left", error)),
    });
    for (const body of this.#unsent.splice(0)) this.#say(body);
    this.#drive.wake();
  }

  /** The name by which checks to us are known. */
  get user(): string {
    return this.punch.codec.local.user;
  }

  /** Does something to the punch, and what follows from it. */
  update(work: (punch: Punch, now: number) => void): void {
    this.#do((now) => work(this.punch, now));
  }

  #do(work: (now: number) => void): void {
    if (this.#closed) return;
    work(this.#runtime.clock.now());
    this.#drive.wake();
  }

  awaits(id: string): boolean {
    return this.punch.awaits(id);
  }

  receiveCheck(data: Uint8Array, remote: SocketAddress, via: number): boolean {
    if (this.#closed) return false;
    const { address, port } = remote;
    const ours = this.punch.handleDatagram(
      { data, remote: { address, port } },
      via,
      this.#runtime.clock.now(),
    );
    this.#drive.wake();
    return ours;
  }

  #onEvent(event: PunchEvent): void {
    if (event.type === "signal") this.#say(event.body);
    else if (event.type === "way") this.#onWay(event);
    else if (event.type === "sockets") void this.#openSockets(event.trick, event.count);
    else this.#over("nothing is left to try");
  }

  #say(body: JsonObject): void {
    if (!this.#dialog) this.#unsent.push(body);
    else this.#dialog.send(body).catch((error: unknown) => this.#over("a signal was not taken", error));
  }

  #onWay({ via, ...way }: Extract<PunchEvent, { type: "way" }>): void {
    const port = this.#ports.find(via) ?? this.#promote(via);
    if (!port) return;
    this.#ways.set(wayKey(port, way.remote), way.trick);
    this.#admitted.push(port.admit(way.remote));
    this.#sink.onWay({ ...way, port });
  }

  #promote(via: number): PunchPort | undefined {
    const port = this.#extra.promote(via);
    if (!port) return undefined;
    this.#ports.add(port);
    this.#promoted.push(port);
    return port;
  }

  async #openSockets(trick: string, count: number): Promise<void> {
    const sockets = await this.#extra.open(count);
    this.update((punch, now) => punch.addSockets(trick, sockets, now));
  }

  /** Whether the peer has come by this way. */
  knows(port: PunchPort, remote: SocketAddress): boolean {
    return this.#ways.has(wayKey(port, remote));
  }

  /** uTP is connected by this way: the punch is over, and from now on the peer is followed. */
  follow(port: PunchPort, connection: UtpConnection): Follower {
    const { remote } = connection;
    this.#publish({ outcome: "connected", trick: this.#ways.get(wayKey(port, remote)), remote });
    this.close();
    return new Follower(this.punch.codec, this.#ports, port, connection, this.#runtime, this.#reach);
  }

  #publish(story: Record<string, unknown>): void {
    if (!punchChannel.hasSubscribers) return;
    const { sent, drops } = this.punch;
    punchChannel.publish({ transport: "udp-punch", ...story, sent, drops, nat: this.punch.describe() });
  }

  #over(why: string, cause?: unknown): void {
    if (this.#closed) return;
    this.#publish({ outcome: why });
    this.close();
    this.#sink.onOver(this.failure(why, cause));
  }

  /** The error for a punch that did not work out. */
  failure(why: string, cause?: unknown): OnetpError {
    const forbidden = this.punch.drops.has("forbidden")
      ? "; the peer has addresses that are forbidden here"
      : "";
    const detail = `${why}; ${this.punch.describe()}${forbidden}`;
    return new OnetpError("ERR_1TP_PUNCH_FAILED", { detail, phase: "punch", transport: "udp-punch", cause });
  }

  /** Lets go of the dialog and the sockets. What was admitted stays so as long as somebody else admits it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drive.stop();
    this.punch.close();
    this.#extra.close();
    this.#ports.leave(this);
    this.#dialog?.close();
    for (const release of this.#admitted) release();
    if (this.#promoted.length > 0) this.#leavePromoted();
    this.#sink.onClose?.();
  }

  /** Whoever comes by one of our own sockets has some time to do so. */
  #leavePromoted(): void {
    const { clock } = this.#runtime;
    const leave = (): void => {
      for (const port of this.#promoted) void this.#ports.retirePort(port);
    };
    clock.setTimer(clock.now() + LEAVING, leave).unref();
  }
}
