import { crypto, diagnosticsChannel, nextTick } from "#platform";
import { type Drive, drive } from "../../src/base/drive.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { withoutZone } from "../../src/base/socket-address.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import type { NetSocket } from "../../src/host/stun-stream.ts";
import { isSelfConnected, kernelAddress, type TcpHistory } from "../../src/host/tcp-channel.ts";
import { pathOf } from "../../src/nat/path.ts";
import { reachIn } from "../../src/nat/reach.ts";
import { behaviourFrom } from "../../src/nat/sighting.ts";
import { TcpPunch } from "../../src/nat/tcp/punch.ts";
import type { LinkFrame, TcpPunchEvent } from "../../src/nat/tcp/punch-event.ts";
import { LinkSocket } from "./link-socket.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import type { PunchPorts } from "./punch-ports.ts";

type Connect = Extract<TcpPunchEvent, { type: "connect" }>;
type Chosen = Extract<TcpPunchEvent, { type: "chosen" }>;

/** Whom a session tells. */
export interface SessionSink {
  /** A connection is there, whoever is at its other end. */
  onOpen?(): void;
  /** The peer is at the other end of this socket, which is the receiver's: once. */
  onChosen(socket: NetSocket, history: TcpHistory): void;
  /** Nothing more can come: once. Not after `close`. */
  onOver(error: OnetpError): void;
  /** The session has let go of everything else: once, last. */
  onClose?(): void;
}

/** What a session is about. */
export interface SessionOptions {
  readonly opener: boolean;
  readonly context: Pick<DialContext, "runtime" | "mayDial">;
  /** The IP at which the dialog's carrier sees the peer. */
  readonly attested: string | undefined;
}

const punchChannel = diagnosticsChannel("1tp:punch");

/** Joins one punch to its sockets and the clock, and to its dialog as soon as there is one. The opener's keeps the process alive. */
export class PunchSession {
  readonly #parts: PunchParts;
  readonly #options: SessionOptions;
  readonly #ports: PunchPorts;
  readonly #sink: SessionSink;
  readonly #punch: TcpPunch;
  readonly #drive: Drive;
  readonly #sockets = new Map<number, LinkSocket>();
  #dialog: Dialog | undefined;
  /** What was said before there was a dialog. */
  readonly #unsent: JsonObject[] = [];
  #closed = false;

  /** The ports are its own from then on. */
  constructor(parts: PunchParts, ports: PunchPorts, options: SessionOptions, sink: SessionSink) {
    const { opener, attested, context } = options;
    const { clock, random } = context.runtime;
    this.#parts = parts;
    this.#ports = ports;
    this.#options = options;
    this.#sink = sink;
    const reach = reachIn(parts.reach, context);
    this.#punch = new TcpPunch({ random, crypto, opener, reach, attested, families: ports.families });
    for (const candidate of ports.candidates) this.#punch.addCandidate(candidate);
    this.#drive = drive<TcpPunchEvent, LinkFrame>(
      this.#punch,
      clock,
      ({ link, data }) => this.#sockets.get(link)?.send(data),
      (event) => this.#onEvent(event),
    );
    if (!opener) this.#drive.unref();
    ports.onConnection = (socket) => this.#accept(socket);
    void this.#gather();
  }

  /** What servers say is the last that is told. */
  async #gather(): Promise<void> {
    const sightings = await this.#ports.sightings;
    this.#do((punch, now) => {
      for (const { mapped } of sightings) punch.addCandidate({ kind: "reflexive", ...mapped });
      punch.complete(behaviourFrom(sightings), now);
    });
  }

  #do(work: (punch: TcpPunch, now: number) => void): void {
    if (this.#closed) return;
    work(this.#punch, this.#options.context.runtime.clock.now());
    this.#drive.wake();
  }

  /** What the side that opens the dialog says first. */
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
      onSignal: (body) => this.#do((punch, now) => punch.handleSignal(body, now)),
      onClose: (error) => {
        // Who has chosen leaves the dialog: the word of it may still be on its way.
        if (!this.#punch.heard) this.#over("the peer has left", error);
        this.#do((punch, now) => punch.leave(now));
      },
    });
    for (const body of this.#unsent.splice(0)) this.#say(body);
    this.#drive.wake();
  }

  #say(body: JsonObject): void {
    if (!this.#dialog) this.#unsent.push(body);
    else this.#dialog.send(body).catch((error: unknown) => this.#over("a signal was not taken", error));
  }

  #onEvent(event: TcpPunchEvent): void {
    if (event.type === "signal") this.#say(event.body);
    else if (event.type === "connect") this.#connect(event);
    else if (event.type === "await") nextTick(() => void this.#ports.await());
    else if (event.type === "close") this.#drop(event.link);
    else if (event.type === "chosen") this.#choose(event);
    else this.#over("nothing is left to try");
  }

  #connect({ link, remote, shared }: Connect): void {
    const socket = this.#parts.net.connect({
      host: remote.address,
      port: remote.port,
      ...(shared ? { localPort: this.#ports.shared } : {}),
      autoSelectFamily: false,
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#join(link, socket, () => {
      // A peer elsewhere may have the address and port that we have.
      if (isSelfConnected(socket, remote.port)) this.#gone(link);
      else this.#do((punch, now) => punch.opened(link, now));
    });
  }

  #accept(socket: NetSocket): void {
    const address = withoutZone(kernelAddress(socket.remoteAddress));
    const remote = { address, port: socket.remotePort ?? 0 };
    const link = this.#punch.accepted(remote, this.#options.context.runtime.clock.now());
    if (link === undefined) {
      socket.destroy();
      return;
    }
    this.#join(link, socket, () => undefined);
    this.#sink.onOpen?.();
    this.#drive.wake();
  }

  #join(link: number, socket: NetSocket, onOpen: () => void): void {
    if (!this.#options.opener) socket.unref();
    const joined = new LinkSocket(socket, {
      onOpen: () => {
        this.#sink.onOpen?.();
        onOpen();
      },
      onFrame: (frame) => this.#do((punch, now) => punch.handleFrame(link, frame, now)),
      onNonsense: () => this.#do((punch, now) => punch.handleNonsense(link, now)),
      onGone: () => this.#gone(link),
    });
    this.#sockets.set(link, joined);
  }

  #gone(link: number): void {
    this.#drop(link);
    this.#do((punch, now) => punch.closed(link, now));
  }

  #drop(link: number): void {
    this.#sockets.get(link)?.close();
    this.#sockets.delete(link);
  }

  #choose({ link, remote, kind }: Chosen): void {
    const socket = this.#sockets.get(link)!.release();
    this.#sockets.delete(link);
    this.#publish({ outcome: "connected", trick: kind, remote });
    this.close();
    socket.ref().setNoDelay(this.#parts.noDelay);
    const { keepAlive } = this.#parts;
    socket.setKeepAlive(keepAlive !== false, Number(keepAlive));
    const { bytesRead, bytesWritten, readableLength, localPort = 0 } = socket;
    this.#sink.onChosen(socket, {
      before: { bytesRead: bytesRead - readableLength, bytesWritten },
      path: pathOf(kind, remote, localPort),
    });
  }

  #publish(story: Record<string, unknown>): void {
    if (!punchChannel.hasSubscribers) return;
    const { tried, drops } = this.#punch;
    punchChannel.publish({ transport: TYPE, ...story, tried, drops, nat: this.#punch.describe() });
  }

  #over(why: string, cause?: unknown): void {
    if (this.#closed) return;
    this.#publish({ outcome: why });
    this.close();
    this.#sink.onOver(this.failure(why, cause));
  }

  /** The error for a punch that did not work out. */
  failure(why: string, cause?: unknown): OnetpError {
    const detail = `${why}; ${this.#punch.describe()}`;
    return new OnetpError("ERR_1TP_PUNCH_FAILED", { detail, phase: "punch", transport: TYPE, cause });
  }

  /** Lets go of the dialog, the ports and all sockets but one that was chosen. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drive.stop();
    this.#ports.onConnection = undefined;
    this.#ports.close();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    this.#dialog?.close();
    this.#sink.onClose?.();
  }
}
