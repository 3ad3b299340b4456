import { typeError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import { checkSignaling, isSignaledBy } from "../../src/base/signaled.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import { dialRelay } from "./dial.ts";
import { listenRelay } from "./listener.ts";

/** Options of the relay transport; `cost` is 90 and `connectTimeout` 15000 unless given. */
export interface RelayTransportOptions extends PlanningOptions {
  /** Whose service carries the bytes. */
  readonly signaling: Signaling;
}

/** Channels through the service that carries the dialogs: for pairs that nothing else connects. */
export class RelayTransport implements Transport {
  readonly type = "relay";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #signaling: Signaling;

  /** Throws on wrong options. */
  constructor(options: RelayTransportOptions) {
    if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
    const { signaling } = options;
    checkSignaling(signaling);
    const { cost, connectTimeout } = planning(options, { cost: 90, connectTimeout: 15_000 });
    this.traits = { cost, relayed: true, signaled: true };
    this.connectTimeout = connectTimeout;
    this.#signaling = signaling;
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && isSignaledBy(this.#signaling, endpoint);
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    if (!this.accepts(endpoint)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    return dialRelay(this.#signaling, endpoint, context);
  }

  async listen(context: ListenContext): Promise<Listener> {
    return listenRelay(this.#signaling, context);
  }
}
