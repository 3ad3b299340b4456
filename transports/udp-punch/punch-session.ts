import { type Drive, drive } from "../../src/base/drive.ts";
import { OnetpError } from "../../src/base/errors.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { Punch, type PunchOptions } from "../../src/nat/punch.ts";
import type { PunchDatagram, PunchEvent } from "../../src/nat/punch-event.ts";
import type { PunchPort } from "./punch-port.ts";
import type { PunchPorts } from "./punch-ports.ts";

/** A way to the peer, as the punch tells it, with the port it goes by. */
export interface Way {
  readonly port: PunchPort;
  readonly remote: SocketAddress;
  readonly trusted: boolean;
  readonly trick: string;
}

/** Whom a session tells. */
export interface SessionSink {
  onWay(way: Way): void;
  /** Nothing more can come: once. Not after `close`. */
  onOver(error: OnetpError): void;
}

/** Joins one punch to its dialog, its sockets and the clock. */
export class PunchSession {
  readonly punch: Punch;
  readonly #dialog: Dialog;
  readonly #ports: PunchPorts;
  readonly #runtime: Runtime;
  readonly #sink: SessionSink;
  readonly #drive: Drive;
  readonly #admitted: (() => void)[] = [];
  #closed = false;

  constructor(
    dialog: Dialog,
    ports: PunchPorts,
    runtime: Runtime,
    options: Omit<PunchOptions, "random" | "families" | "attested">,
    sink: SessionSink,
  ) {
    this.#dialog = dialog;
    this.#ports = ports;
    this.#runtime = runtime;
    this.#sink = sink;
    this.punch = new Punch({
      ...options,
      random: runtime.random,
      families: ports.families,
      attested: dialog.observedAddress,
    });
    this.#drive = drive<PunchEvent, PunchDatagram>(
      this.punch,
      runtime.clock,
      (datagram) => ports.ports.get(datagram.via)?.send(datagram),
      (event) => this.#onEvent(event),
    );
    for (const candidate of ports.candidates) this.punch.addCandidate(candidate, runtime.clock.now());
    ports.join(this);
    dialog.attach({
      onSignal: (body) => this.#do((now) => this.punch.handleSignal(body, now)),
      onClose: (error) => this.#over("the peer has left", error),
    });
  }

  /** The name by which checks to us are known. */
  get user(): string {
    return this.punch.codec.local.user;
  }

  /** Speaks, if this side speaks first. */
  start(): void {
    this.#drive.wake();
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
    if (event.type === "signal") {
      this.#dialog.send(event.body).catch((error: unknown) => this.#over("a signal was not taken", error));
    } else if (event.type === "way") {
      const port = this.#ports.ports.get(event.via);
      if (!port) return;
      this.#admitted.push(port.admit(event.remote));
      this.#sink.onWay({ ...event, port });
    } else if (event.type === "exhausted") this.#over("nothing is left to try");
  }

  #over(why: string, cause?: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#sink.onOver(this.failure(why, cause));
  }

  /** The error for a punch that did not work out. */
  failure(why: string, cause?: unknown): OnetpError {
    const detail = `${why}; ${this.punch.describe()}`;
    return new OnetpError("ERR_1TP_PUNCH_FAILED", { detail, phase: "punch", transport: "udp-punch", cause });
  }

  /** Lets go of the dialog and the sockets. What was admitted stays so as long as somebody else admits it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drive.stop();
    this.#ports.leave(this);
    this.#dialog.close();
    for (const release of this.#admitted) release();
  }
}
