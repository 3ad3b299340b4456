import { checkOptional, rangeError, typeError, valueError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { planning } from "../../src/base/planning.ts";
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
import type { ReachOf } from "../../src/nat/reach.ts";
import { parseStunUri } from "../../src/stun/uri.ts";
import type { ConnectionOptions } from "../../src/utp/options.ts";
import { checkConnectionOptions } from "../../src/utp/settings.ts";
import { dialPunch } from "./dial.ts";
import { listenPunch } from "./listener.ts";
import { NatKnowledge } from "./nat-knowledge.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import { StunServers } from "./stun-servers.ts";

/** A receive buffer of this size carries a fast sender through a pause of the event loop (measured: PEERS). */
const BUFFER_SIZE = 2 * 1024 * 1024;
/** Keeps the mappings of homes that forget them after 10 s, which are the shortest known (measured: PEERS). */
const KEEP_ALIVE: Millis = 8_000;

/** Options of the udp-punch transport. */
export interface UdpPunchTransportOptions {
  /** How the two sides meet. */
  readonly signaling: Signaling;
  /** `stun:` URIs of servers that tell where they see us; default: those the signaling names. */
  readonly stunServers?: readonly string[];
  /** For planning; default 40. */
  readonly cost?: number;
  /** The longest one attempt may take, session handshake included; default 15000. */
  readonly connectTimeout?: Millis;
  /** Send small writes at once (no Nagle algorithm); default true. */
  readonly noDelay?: boolean;
  /** Idle ms after which the peer is asked whether it lives, which keeps NATs open; default 8000; false: never. */
  readonly keepAlive?: Millis | false;
  /** Congestion controller: `ledbat`. */
  readonly congestion?: string;
  /** Most payload bytes per packet; default: what the path allows. */
  readonly maxPayload?: number;
  /** Wanted size of the system's socket buffers in bytes; default 2 MiB. */
  readonly bufferSize?: number;
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
    const { signaling, stunServers, bufferSize = BUFFER_SIZE, reach } = options;
    this.traits = { cost, relayed: false, signaled: true, datagrams: true };
    this.connectTimeout = connectTimeout;
    this.#parts = {
      signaling,
      bufferSize,
      connectTimeout,
      connection: connectionOptions(options),
      stun: new StunServers(stunServers, signaling),
      knowledge: new NatKnowledge(),
      reach,
    };
  }

  accepts(endpoint: Endpoint): boolean {
    if (endpoint?.transportType !== this.type) return false;
    const info: unknown = endpoint.transportInfo;
    return typeof info === "object" && info !== null && this.#parts.signaling.accepts(endpoint.transportInfo);
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

function connectionOptions(options: UdpPunchTransportOptions): ConnectionOptions {
  const { noDelay = true, keepAlive = KEEP_ALIVE, congestion, maxPayload } = options;
  return {
    noDelay,
    keepAlive,
    ...(congestion === undefined ? {} : { congestion }),
    ...(maxPayload === undefined ? {} : { maxPayload }),
  };
}

function checkOptions(options: UdpPunchTransportOptions): void {
  if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
  const { signaling, stunServers, bufferSize, reach } = options;
  const usable = typeof signaling === "object" && signaling !== null && typeof signaling.open === "function";
  if (!usable) throw typeError("options.signaling", "a Signaling", signaling);
  if (stunServers !== undefined && !isTexts(stunServers)) {
    throw typeError("options.stunServers", "an array of stun: URIs", stunServers);
  }
  const odd = stunServers?.find((uri) => parseStunUri(uri)?.scheme !== "stun");
  if (odd !== undefined) throw valueError("options.stunServers", "must hold stun: URIs", odd);
  checkOptional("options.reach", reach, "function");
  checkOptional("options.bufferSize", bufferSize, "number");
  if (bufferSize !== undefined && !(Number.isInteger(bufferSize) && bufferSize > 0)) {
    throw rangeError("options.bufferSize", "a positive integer", bufferSize);
  }
  // The rest is for each connection, and wrong at once too.
  checkConnectionOptions(options);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}
