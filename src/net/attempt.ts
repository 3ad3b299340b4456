import { nodeError, systemError, toError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { Instant, Timer } from "../contract/clock.ts";
import type { Dialog } from "../contract/dialog.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Candidate } from "../contract/scheduler.ts";
import type { DialContext, Phase } from "../contract/transport.ts";
import type { DialogAttempt, DialogTarget } from "./outgoing-dialog.ts";
import { AttemptRecord, sinceStart } from "./report.ts";
import type { DialHandshake } from "./security.ts";

/** What an attempt asks of the dial it belongs to. */
export interface AttemptOwner {
  readonly runtime: Runtime;
  readonly began: Instant;
  /** The first attempt to succeed says so; the owner aborts all others before it returns. */
  won(attempt: Attempt): void;
  failed(attempt: Attempt): void;
  /** The session handshake with an endpoint; undefined where connections are plain. Throws if it cannot be. */
  beginHandshake(endpoint: Endpoint): DialHandshake | undefined;
  /** Whether a host that a peer names may be sent to; absent: any. */
  readonly mayDial: ((host: string) => boolean) | undefined;
  /** Opens a dialog with whoever is behind the endpoint, sealed unless connections are plain. */
  openDialog(attempt: DialogAttempt, target: DialogTarget): Promise<Dialog>;
}

/** One planned attempt: a promise made up front whose dial begins when it is due. */
export class Attempt {
  readonly candidate: Candidate;
  readonly record: AttemptRecord;
  /** Resolves for the winner only; rejects when the attempt fails. */
  readonly promise: Promise<Channel>;
  readonly #owner: AttemptOwner;
  readonly #controller = new AbortController();
  #resolve!: (channel: Channel) => void;
  #reject!: (error: Error) => void;
  #timer: Timer | undefined;
  #handshake: DialHandshake | undefined;

  constructor(candidate: Candidate, owner: AttemptOwner) {
    this.candidate = candidate;
    this.record = new AttemptRecord(candidate);
    this.#owner = owner;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(): void {
    const { clock } = this.#owner.runtime;
    const now = clock.now();
    this.record.start = sinceStart(now, this.#owner.began);
    this.record.outcome = "running";
    const { connectTimeout } = this.candidate.transport;
    if (connectTimeout > 0) this.#timer = clock.setTimer(now + connectTimeout, () => this.expire());
    this.#run().then(
      (channel) => this.#succeed(channel),
      (error) => this.#fail(toError(error)),
    );
  }

  /** Gives the attempt up: a loser, or a dial that was destroyed. */
  abort(reason: Error): void {
    if (this.record.outcome === "running") {
      this.#end("aborted");
      this.#stop(reason);
    }
    this.#reject(reason);
  }

  /** Its time is up, or that of the whole dial. */
  expire(): void {
    if (this.record.outcome !== "running") return;
    const { address, port } = this.candidate.endpoint.transportInfo;
    const error =
      typeof address === "string" && typeof port === "number"
        ? systemError("ETIMEDOUT", "connect", address, port)
        : systemError("ETIMEDOUT", "connect");
    this.#giveUp(error);
  }

  #giveUp(error: Error): void {
    if (this.record.outcome !== "running") return;
    this.#stop(error);
    this.#fail(error);
  }

  #stop(reason: Error): void {
    this.#controller.abort(reason);
    this.#handshake?.abort();
  }

  async #run(): Promise<Channel> {
    const { signal } = this.#controller;
    const { endpoint, transport } = this.candidate;
    const handshake = this.#owner.beginHandshake(endpoint);
    this.#handshake = handshake;
    const channel = await transport.dial(endpoint, this.#context(handshake));
    checkChannel(channel);
    if (signal.aborted) {
      channel.abort();
      throw signal.reason;
    }
    this.record.phase = "handshake";
    return handshake ? handshake.secure(channel) : channel;
  }

  #context(handshake: DialHandshake | undefined): DialContext {
    const { endpoint, transport } = this.candidate;
    const { signal } = this.#controller;
    const onPhase = (phase: Phase): void => {
      if (this.record.outcome === "running") this.record.phase = phase;
    };
    const openDialog = (...target: DialogTarget): Promise<Dialog> => {
      onPhase("signal");
      return this.#owner.openDialog({ endpoint, signal, onRefused: (error) => this.#giveUp(error) }, target);
    };
    const { runtime, mayDial } = this.#owner;
    return {
      runtime,
      signal,
      onPhase,
      ...(mayDial ? { mayDial } : {}),
      ...(handshake ? { firstFlight: () => handshake.firstFlight() } : {}),
      ...(transport.traits.signaled ? { openDialog } : {}),
    };
  }

  #succeed(channel: Channel): void {
    if (this.record.outcome !== "running") {
      channel.abort();
      return;
    }
    this.record.path = channel.path;
    this.#end("won");
    this.#resolve(channel);
    this.#owner.won(this);
  }

  /** Its channel is taken: only now does the server see a connection. */
  confirm(): void {
    this.#handshake?.confirm();
  }

  #fail(error: Error): void {
    if (this.record.outcome !== "running") return;
    this.record.error = error;
    this.#end("failed");
    this.#reject(error);
    this.#owner.failed(this);
  }

  #end(outcome: "won" | "failed" | "aborted"): void {
    this.#timer?.cancel();
    this.record.outcome = outcome;
    this.record.end = sinceStart(this.#owner.runtime.clock.now(), this.#owner.began);
  }
}

/** A transport may be the user's code: a wrong result says so at once. */
function checkChannel(channel: unknown): asserts channel is Channel {
  if (typeof (channel as Channel | undefined)?.attach === "function") return;
  throw nodeError("ERR_INVALID_RETURN_VALUE", "A transport's dial() must resolve with a Channel", TypeError);
}
