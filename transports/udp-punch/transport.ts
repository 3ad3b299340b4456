import { checkOptional, typeError, valueError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import { checkSignaling, isSignaledBy } from "../../src/base/signaled.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import { StunServers } from "../../src/host/stun-servers.ts";
import { type UtpSocketOptions, utpBufferSize, utpConnection } from "../../src/host/utp-options.ts";
import type { ReachOf } from "../../src/nat/reach.ts";
import { parseStunUri } from "../../src/stun/uri.ts";
import { dialPunch } from "./dial.ts";
import { listenPunch } from "./listener.ts";
import { NatKnowledge } from "./nat-knowledge.ts";
import { type PunchParts, TYPE } from "./parts.ts";

/** Keeps the mappings of homes that forget them after 10 s, which are the shortest known (measured: PEERS). */
const KEEP_ALIVE: Millis = 8_000;

/** Options of the udp-punch transport; `cost` is 40, `connectTimeout` 15000 and `keepAlive` 8000 unless given. */
export interface UdpPunchTransportOptions extends PlanningOptions, UtpSocketOptions {
  /** How the two sides meet. */
  readonly signaling: Signaling;
  /** `stun:` URIs of servers that tell where they see us; default: those the signaling names. */
  readonly stunServers?: readonly string[];
  /** Which addresses count as public, private or forbidden; default by the registries of IANA. For test networks. */
  readonly reach?: ReachOf;
}

/** uTP over UDP between hosts behind NATs, which open them for each other as told over a dialog. */
export class UdpPunchTransport implements Transport {
  readonly type = TYPE;
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #parts: Omit<PunchParts, "bind">;

  /** Throws on wrong options. */
  constructor(options: UdpPunchTransportOptions) {
    checkOptions(options);
    const { cost, connectTimeout } = planning(options, { cost: 40, connectTimeout: 15_000 });
    const { signaling, stunServers, reach } = options;
    this.traits = { cost, relayed: false, signaled: true, datagrams: true };
    this.connectTimeout = connectTimeout;
    this.#parts = {
      signaling,
      bufferSize: utpBufferSize(options),
      connectTimeout,
      connection: utpConnection({ keepAlive: KEEP_ALIVE, ...options }),
      stun: new StunServers(stunServers, signaling),
      knowledge: new NatKnowledge(),
      reach,
    };
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && isSignaledBy(this.#parts.signaling, endpoint);
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    if (!this.accepts(endpoint)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    return dialPunch(this.#partsOf(context.runtime), endpoint, context);
  }

  async listen(context: ListenContext): Promise<Listener> {
    return listenPunch(this.#partsOf(context.runtime), context);
  }

  #partsOf({ bindDatagram }: Runtime): PunchParts {
    if (bindDatagram) return { ...this.#parts, bind: bindDatagram };
    throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here", transport: this.type });
  }
}

function checkOptions(options: UdpPunchTransportOptions): void {
  if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
  const { signaling, stunServers, reach } = options;
  checkSignaling(signaling);
  if (stunServers !== undefined && !isTexts(stunServers)) {
    throw typeError("options.stunServers", "an array of stun: URIs", stunServers);
  }
  const odd = stunServers?.find((uri) => parseStunUri(uri)?.scheme !== "stun");
  if (odd !== undefined) throw valueError("options.stunServers", "must hold stun: URIs", odd);
  checkOptional("options.reach", reach, "function");
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}
