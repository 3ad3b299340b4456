import { type Drive, drive } from "../base/drive.ts";
import { type Delivery, Incoming } from "../base/incoming.ts";
import type { Channel, ChannelOptions, ChannelPath, ChannelSink, ChannelStats } from "../contract/channel.ts";
import type { Clock } from "../contract/clock.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { MessageLane } from "../contract/message-lane.ts";
import { SessionEngine, type SessionEvent } from "./engine.ts";
import type { Message, Patience } from "./exchange.ts";
import type { Initiator } from "./initiator.ts";
import { Lanes } from "./lanes.ts";
import { recycleRecord } from "./record.ts";
import type { Responder } from "./responder.ts";

/** What a session needs besides its channel and its side of the handshake. */
export interface SessionOptions {
  readonly clock: Clock;
  /** Runs a task after the current operation, before any I/O: `nextTick` of the platform. */
  readonly defer: (task: () => void) => void;
  /**
   * Called once: without error when the peer has proved itself and, on a responder, has confirmed; with
   * the reason when that failed, the channel being aborted. Not after `abort`.
   */
  readonly onSettled: (error?: Error) => void;
  /** On a responder: whether the dialler may come in. Must `answer` once, now or later. Default: it may. */
  readonly authorize?: ((publicKey: string, answer: (admitted: boolean) => void) => void) | undefined;
  readonly patience?: Patience;
}

/**
 * An encrypted, authenticated channel over a plain one. It reads its channel without pause, so that it
 * sees a reset at once, and holds the peer back by the window of its ACKs.
 */
export class Session implements Channel {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #defer: (task: () => void) => void;
  readonly #engine: SessionEngine;
  readonly #drive: Drive;
  /** Until settled: what the handshake asks and tells, and all that hangs on that. */
  #settling: Pick<SessionOptions, "onSettled" | "authorize"> | undefined;
  /** Made for whoever asks for a lane. */
  #lanes: Lanes | undefined;
  #sink: ChannelSink | undefined;
  #onFlushed: (() => void) | undefined;
  #wakeDue = false;
  #paused = false;
  #aborted = false;
  #channelClosed = false;
  /** The record the channel may read until it drains. */
  #lent: Uint8Array | undefined;
  /** The channel has to take what was sent before `flushed` is called. */
  #flushing = false;
  #drainHeld = false;
  #closeHeld: { readonly error?: Error } | undefined;

  /** Takes the channel over and begins the handshake. */
  constructor(channel: Channel, handshake: Initiator | Responder, options: SessionOptions) {
    this.#channel = channel;
    this.#clock = options.clock;
    this.#defer = options.defer;
    this.#settling = options;
    this.#engine = new SessionEngine(handshake, channel.firstFlightSent, options.patience);
    this.#drive = drive(
      this.#engine,
      options.clock,
      (record) => this.#transmit(record),
      (event) => this.#emit(event),
    );
    channel.attach(new Incoming(this, Session.#delivery));
    this.#drive.wake();
  }

  static readonly #delivery: Delivery<Session> = {
    data(session, chunk) {
      session.#engine.handleData(chunk, session.#clock.now());
      session.#drive.wake();
    },
    drain(session) {
      session.#engine.blocked = false;
      if (session.#lent) recycleRecord(session.#lent);
      session.#lent = undefined;
      if (session.#flushing) session.#flush();
      session.#drive.wake();
    },
    end(session) {
      session.#engine.handleEnd();
      session.#drive.wake();
    },
    close(session, error) {
      session.#channelClosed = true;
      session.#engine.handleClose(error);
      session.#drive.wake();
      // Also where the end of the bytes waits for somebody to read them.
      session.#lanes?.close(error);
    },
  };

  get remote(): Endpoint {
    return this.#channel.remote;
  }

  get local(): Endpoint {
    return this.#channel.local as Endpoint;
  }

  get path(): ChannelPath | undefined {
    return this.#channel.path;
  }

  get firstFlightSent(): boolean {
    return this.#channel.firstFlightSent;
  }

  /** Base64url, as in a connectionInfo entry; undefined until settled. */
  get remotePublicKey(): string | undefined {
    return this.#engine.remotePublicKey;
  }

  /** The initiator has won its race: it says so at once. A session that is never confirmed stays unseen. */
  confirm(): void {
    this.#engine.confirm();
    this.#wakeSoon();
  }

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#wakeSoon();
  }

  write(chunk: Uint8Array): boolean {
    const engine = this.#engine;
    engine.write(chunk);
    // Large writes are encrypted, and so copied, before the call returns; small ones share a record.
    const now = this.#clock.now();
    while (engine.pressing) {
      const record = engine.pollTransmit(now);
      if (!record || !this.#transmit(record)) break;
    }
    this.#wakeSoon();
    return engine.mayWrite();
  }

  /** @throws ERR_OUT_OF_RANGE */
  lane(number: number): MessageLane {
    this.#lanes ??= this.#openLanes();
    return this.#lanes.lane(number);
  }

  #openLanes(): Lanes {
    const lanes = new Lanes({ defer: this.#defer, send: (message) => this.#sendMessage(message) });
    if (this.#channelClosed || this.#closeHeld) lanes.close(this.#closeHeld?.error);
    return lanes;
  }

  #sendMessage(message: Message): boolean {
    const taken = this.#engine.sendMessage(message);
    this.#wakeSoon();
    return taken;
  }

  end(flushed?: () => void): void {
    this.#onFlushed ??= flushed;
    this.#engine.end();
    this.#wakeSoon();
  }

  abort(error?: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#settling = undefined;
    if (error) this.#engine.reset(error);
    else if (!this.#engine.leave(this.#clock.now())) this.#channel.abort();
    this.#closeHeld ??= error ? { error } : {};
    this.#wakeSoon();
  }

  pause(): void {
    this.#paused = true;
    this.#engine.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#sink && !this.#aborted) this.#engine.resume();
    this.#wakeSoon();
  }

  ref(): void {
    this.#channel.ref();
    this.#drive.ref();
  }

  unref(): void {
    this.#channel.unref();
    this.#drive.unref();
  }

  set<K extends keyof ChannelOptions>(option: K, value: ChannelOptions[K]): void {
    this.#channel.set(option, value);
  }

  stats(): ChannelStats {
    return { ...this.#channel.stats(), ...this.#engine.counters };
  }

  /** Nothing is told from inside a call of the sink's owner, and writes of one turn share records. */
  #wakeSoon(): void {
    if (this.#wakeDue) return;
    this.#wakeDue = true;
    this.#defer(() => {
      this.#wakeDue = false;
      if (this.#sink && !this.#paused && !this.#aborted) this.#engine.resume();
      this.#drive.wake();
      this.#tellHeld();
    });
  }

  #transmit(record: Uint8Array): boolean {
    if (this.#channelClosed) return true;
    const room = this.#channel.write(record);
    this.#engine.blocked = !room;
    if (room) recycleRecord(record);
    else this.#lent = record;
    return room;
  }

  #emit(event: SessionEvent): void {
    switch (event.type) {
      case "data":
        this.#sink!.onData(event.chunk);
        // Reading may be worth an ACK.
        this.#drive.wake();
        break;
      case "drain":
        this.#drainHeld = true;
        this.#tellHeld();
        // What the writer adds now shares a record with what is left.
        this.#drive.wake();
        break;
      case "end":
        this.#sink!.onEnd();
        // Has the END acknowledged if the sink does not end as well.
        this.#wakeSoon();
        break;
      case "flushed":
        if (this.#engine.blocked) this.#flushing = true;
        else this.#flush();
        break;
      case "message":
        if (!this.#aborted) this.#lanes?.receive(event.message);
        break;
      case "messageDrain":
        if (!this.#aborted) this.#lanes?.drain();
        break;
      case "peer":
        this.#authorize(event.publicKey);
        break;
      case "established":
        this.#settle();
        break;
      case "finished":
        if (!this.#channelClosed) this.#channel.end();
        break;
      case "closed":
        this.#closed(event.error);
    }
  }

  #flush(): void {
    this.#flushing = false;
    const flushed = this.#onFlushed;
    if (!this.#aborted) flushed?.();
  }

  #authorize(publicKey: string): void {
    if (!this.#settling) return;
    const { authorize } = this.#settling;
    let answered = false;
    const answer = (admitted: boolean): void => {
      if (answered) return;
      answered = true;
      this.#engine.answer(admitted, this.#clock.now());
      this.#channel.resume();
      this.#wakeSoon();
    };
    if (authorize) authorize(publicKey, answer);
    else answer(true);
    // What a stranger sends meanwhile is the transport's to bound.
    if (!answered) this.#channel.pause();
  }

  #settle(error?: Error): void {
    const settling = this.#settling;
    this.#settling = undefined;
    settling?.onSettled(error);
  }

  #closed(error?: Error): void {
    if (!this.#channelClosed) this.#channel.abort(error);
    this.#drive.stop();
    // A channel that closes in good order has taken what it was given.
    if (!error && this.#flushing) this.#flush();
    this.#settle(error);
    this.#closeHeld ??= error ? { error } : {};
    this.#tellHeld();
  }

  #tellHeld(): void {
    if (this.#closeHeld) this.#lanes?.close(this.#closeHeld.error);
    const sink = this.#sink;
    if (!sink) return;
    if (this.#drainHeld && !this.#closeHeld) {
      this.#drainHeld = false;
      sink.onDrain();
    }
    if (!this.#closeHeld || this.#sink !== sink) return;
    this.#sink = undefined;
    sink.onClose(this.#closeHeld.error);
  }
}
