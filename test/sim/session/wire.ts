import { concat } from "../../../src/base/bytes.ts";
import { type Drive, drive } from "../../../src/base/drive.ts";
import { systemError } from "../../../src/base/errors.ts";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { CipherName, Crypto } from "../../../src/contract/crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { SessionEngine, type SessionEvent } from "../../../src/session/engine.ts";
import type { Message, Patience } from "../../../src/session/exchange.ts";
import { createIdentity, type Identity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { Responder } from "../../../src/session/responder.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** One engine at one end of a wire, and all it has said. */
export class End {
  readonly engine: SessionEngine;
  /** The names of its events in order; data is told apart by `received`. */
  readonly events: string[] = [];
  readonly messages: Message[] = [];
  readonly #chunks: Uint8Array[] = [];
  readonly #drive: Drive;
  readonly #wire: Wire;
  error: Error | undefined;
  /** What a responder answers about a stranger; undefined: nothing, for now. */
  admit: boolean | undefined = true;
  /** Called on `drain`. */
  onDrain: (() => void) | undefined;
  /** The pipe takes nothing until it is set back. */
  blocked = false;
  other!: End;

  constructor(engine: SessionEngine, wire: Wire) {
    this.engine = engine;
    this.#wire = wire;
    engine.resume();
    this.#drive = drive(
      engine,
      wire.clock,
      (bytes) => {
        wire.carry(bytes, this.other);
        engine.blocked = this.blocked;
        return !this.blocked;
      },
      (event) => this.#hear(event),
    );
  }

  get received(): Uint8Array {
    return concat(this.#chunks);
  }

  get established(): boolean {
    return this.events.includes("established");
  }

  get closed(): boolean {
    return this.events.includes("closed");
  }

  /** Every touch of the engine goes through here, which drains it and lets bytes flow. */
  do(task: (engine: SessionEngine, now: number) => void): this {
    task(this.engine, this.#wire.clock.now());
    this.wake();
    this.#wire.flow();
    return this;
  }

  wake(): void {
    this.#drive.wake();
  }

  #hear(event: SessionEvent): void {
    if (event.type === "data") {
      this.#chunks.push(event.chunk);
      this.#drive.wake();
      return;
    }
    this.events.push(event.type);
    if (event.type === "drain") {
      this.onDrain?.();
      this.#drive.wake();
    } else if (event.type === "message") this.messages.push(event.message);
    else if (event.type === "end") this.#drive.wake();
    else if (event.type === "finished") this.#wire.end(this.other);
    else if (event.type === "peer" && this.admit !== undefined) {
      this.engine.answer(this.admit, this.#wire.clock.now());
      this.#drive.wake();
    } else if (event.type === "closed") {
      this.error = event.error;
      this.#drive.stop();
      this.#wire.close(this.other, event.error);
    }
  }
}

type Arrival =
  | { readonly to: End; readonly bytes: Uint8Array }
  | { readonly to: End; readonly end: true }
  | { readonly to: End; readonly close: Error | undefined };

/** Who may see and change what is on its way: what it returns arrives in its place, piece by piece. */
export type Intercept = (bytes: Uint8Array, to: End, wire: Wire) => readonly Uint8Array[];

/** What a wire is made of; all of it has defaults. */
export interface WireOptions {
  readonly seed?: number;
  readonly crypto?: Crypto;
  readonly cipher?: CipherName;
  /** The dialler knows the server's key: IK; else XX. */
  readonly named?: boolean;
  readonly client?: Identity;
  readonly server?: Identity;
  /** The key the dialler expects; default the server's. */
  readonly expected?: string;
  readonly patience?: Patience;
  readonly intercept?: Intercept;
  /** One way, in ms; default 0: everything arrives in the call that sends it. */
  readonly latency?: number;
  /** The transport has brought the first flight already. */
  readonly flightSent?: boolean;
}

/** Two session engines and the pipe between them, on one virtual clock. */
export class Wire {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly near: End;
  readonly far: End;
  readonly client: Identity;
  readonly server: Identity;
  readonly initiator: Initiator;
  intercept: Intercept | undefined;
  /** Everything that was sent, in order. */
  readonly recorded: { readonly to: End; readonly bytes: Uint8Array }[] = [];
  readonly #arrivals: Arrival[] = [];
  readonly #closed = new Set<End>();
  readonly #ended = new Set<End>();
  readonly #hasHeardEnd = new Set<End>();
  readonly #latency: number;
  #flowing = false;

  constructor(options: WireOptions = {}) {
    const { crypto = nodeCrypto, cipher, named = true, patience, flightSent = false } = options;
    this.random = seededRandom(options.seed ?? 1);
    this.intercept = options.intercept;
    this.#latency = options.latency ?? 0;
    this.client = options.client ?? createIdentity(crypto, this.random);
    this.server = options.server ?? createIdentity(crypto, this.random);
    const shared = { crypto, random: this.random };
    this.initiator = new Initiator({
      ...shared,
      identity: this.client,
      remotePublicKey: named ? (options.expected ?? this.server.publicKey) : undefined,
      allowUnknownPeer: !named,
      cipher,
    });
    const responder = new Responder({ ...shared, identity: this.server });
    this.near = new End(new SessionEngine(this.initiator, flightSent, patience), this);
    this.far = new End(new SessionEngine(responder, false, patience), this);
    this.near.other = this.far;
    this.far.other = this.near;
  }

  /** Runs the handshake, and the initiator confirms. */
  open(): this {
    this.near.wake();
    this.flow();
    if (this.#latency > 0) this.pass(4 * this.#latency);
    return this.confirm();
  }

  confirm(): this {
    this.near.do((engine) => engine.confirm());
    return this;
  }

  carry(bytes: Uint8Array, to: End): void {
    this.recorded.push({ to, bytes });
    for (const piece of this.intercept?.(bytes, to, this) ?? [bytes]) {
      if (piece.length > 0) this.#depart({ to, bytes: piece });
    }
  }

  end(to: End): void {
    this.#ended.add(to.other);
    this.#depart({ to, end: true });
    this.#closeIfEnded(to.other);
  }

  /** A pipe both of whose directions have ended closes by itself. */
  #closeIfEnded(end: End): void {
    if (this.#ended.has(end) && this.#hasHeardEnd.has(end))
      this.#arrivals.push({ to: end, close: undefined });
  }

  /** One end has let go of the pipe: the other one sees an end, or a reset with an error or if it goes on sending. */
  close(to: End, error?: Error): void {
    this.#closed.add(to.other);
    if (this.#closed.has(to)) return;
    if (error) this.#depart({ to, close: systemError("ECONNRESET", "read") });
    else this.end(to);
  }

  #depart(arrival: Arrival): void {
    if (this.#latency === 0) {
      this.#arrivals.push(arrival);
      return;
    }
    this.clock.setTimer(this.clock.now() + this.#latency, () => {
      this.#arrivals.push(arrival);
      this.flow();
    });
  }

  /** Lets everything that is under way arrive. */
  flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    for (let next = this.#arrivals.shift(); next; next = this.#arrivals.shift()) this.#arrive(next);
    this.#flowing = false;
  }

  /** Lets time pass, with what follows from it. */
  pass(ms: number): void {
    for (let left = ms; left > 0; ) {
      const next = this.clock.nextTimer();
      const step = next === undefined ? left : Math.min(left, Math.max(next - this.clock.now(), 0.001));
      this.clock.advance(step);
      this.flow();
      left -= step;
    }
  }

  #arrive(arrival: Arrival): void {
    const { to } = arrival;
    if (this.#closed.has(to)) {
      if ("bytes" in arrival) this.close(to.other, new Error("nobody is there"));
      return;
    }
    if ("bytes" in arrival) to.engine.handleData(arrival.bytes, this.clock.now());
    else if ("end" in arrival) {
      this.#hasHeardEnd.add(to);
      to.engine.handleEnd();
      this.#closeIfEnded(to);
    } else {
      this.#closed.add(to);
      to.engine.handleClose(arrival.close);
    }
    to.wake();
  }
}

/** Cuts what is on its way into pieces of random size, what is short also into single bytes. */
export function splitting(random: SeededRandom): Intercept {
  return (bytes) => {
    const pieces: Uint8Array[] = [];
    const most = bytes.length < 2000 && random.chance(0.3) ? 3 : 5000;
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random.integer(most);
      pieces.push(bytes.slice(at, at + size));
      at += size;
    }
    return pieces;
  };
}

/** A copy with one bit turned over. */
export function flipBit(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const changed = bytes.slice();
  changed[random.integer(bytes.length)]! ^= 1 << random.integer(8);
  return changed;
}
