import { toHex } from "../../../src/base/bytes.ts";
import { DialogInbox } from "../../../src/base/dialog-inbox.ts";
import { OnetpError } from "../../../src/base/errors.ts";
import { decodeSignal, encodeSignal } from "../../../src/base/signal.ts";
import type { Clock, Millis } from "../../../src/contract/clock.ts";
import type {
  Dialog,
  DialogSink,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
  SignalingServices,
} from "../../../src/contract/dialog.ts";
import type { Json, JsonObject } from "../../../src/contract/endpoint.ts";

const TYPE = "simulated-signaling";

/** What may happen to a signal on its way; `undefined` loses it. */
export type Meddler = (body: Json, from: "opener" | "acceptor") => Json | undefined;

/** A registrar of the simulated internet: carries each signal in `delay` ms, and says where it sees whom. */
export class MeetingPoint {
  readonly clock: Clock;
  readonly delay: Millis;
  readonly stun: readonly string[];
  meddler: Meddler | undefined;
  /** Signals carried. */
  signals = 0;
  readonly #members = new Map<string, { signaling: SimulatedSignaling; options: RegisterOptions }>();

  constructor(clock: Clock, delay: Millis, stun: readonly string[] = []) {
    this.clock = clock;
    this.delay = delay;
    this.stun = stun;
  }

  /** One client, seen at that IP. */
  client(observedAddress?: string): SimulatedSignaling {
    return new SimulatedSignaling(this, observedAddress);
  }

  register(signaling: SimulatedSignaling, options: RegisterOptions): Registration {
    const uid = toHex(Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? this.#members.size : 0)));
    this.#members.set(uid, { signaling, options });
    return {
      address: { type: TYPE, uid },
      close: () => void this.#members.delete(uid),
      ref() {},
      unref() {},
    };
  }

  open(from: SimulatedSignaling, { uid }: SignalingAddress): Dialog {
    const member = this.#members.get(uid);
    if (!member) throw new OnetpError("ERR_1TP_PEER_OFFLINE");
    const near = new SimulatedDialog(this, "opener", member.signaling.observedAddress);
    const far = new SimulatedDialog(this, "acceptor", from.observedAddress);
    near.peer = far;
    far.peer = near;
    member.options.onDialog(far);
    return near;
  }

  /** Runs a task a signal's time later. */
  later(task: () => void): void {
    this.clock.setTimer(this.clock.now() + this.delay, task);
  }
}

/** One client of a meeting point. */
export class SimulatedSignaling implements Signaling {
  /** Where the meeting point says it sees this client. */
  observedAddress: string | undefined;
  readonly #point: MeetingPoint;

  constructor(point: MeetingPoint, observedAddress: string | undefined) {
    this.#point = point;
    this.observedAddress = observedAddress;
  }

  accepts(address: JsonObject): boolean {
    return address?.type === TYPE && typeof address.uid === "string";
  }

  async register(options: RegisterOptions): Promise<Registration> {
    return this.#point.register(this, options);
  }

  async open(address: SignalingAddress): Promise<Dialog> {
    return this.#point.open(this, address);
  }

  async services(): Promise<SignalingServices> {
    return { stun: this.#point.stun, turn: [], observedAddress: this.observedAddress };
  }

  async close(): Promise<void> {}
}

class SimulatedDialog implements Dialog {
  readonly observedAddress: string | undefined;
  peer!: SimulatedDialog;
  readonly #point: MeetingPoint;
  readonly #role: "opener" | "acceptor";
  readonly #inbox: DialogInbox;
  #closed = false;

  constructor(point: MeetingPoint, role: "opener" | "acceptor", observedAddress: string | undefined) {
    this.#point = point;
    this.#role = role;
    this.observedAddress = observedAddress;
    this.#inbox = new DialogInbox((task) => void point.clock.setTimer(point.clock.now(), task));
  }

  async send(body: Json): Promise<void> {
    if (this.#closed) throw new Error("the dialog is closed");
    const { meddler } = this.#point;
    const passed = meddler ? meddler(body, this.#role) : body;
    if (passed === undefined) return;
    const text = encodeSignal(passed);
    this.#point.signals++;
    this.#point.later(() => void this.peer.#inbox.push(decodeSignal(text)!));
  }

  attach(sink: DialogSink): void {
    this.#inbox.attach(sink);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox.end();
    this.#point.later(() => this.peer.#inbox.end());
  }
}
