import { nextTurn } from "#platform";
import { checkOptional, rangeError, typeError, valueError } from "../../src/base/argument.ts";
import { toHex } from "../../src/base/bytes.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import { MemoryChannel } from "./channel.ts";
import { MemoryHub, processHub } from "./hub.ts";

/** Chosen: names are typed by people or random; more is a mistake or an attack. */
const MAX_NAME = 255;

/** Options of the memory transport; `cost` is 0 and `connectTimeout` 5000 unless given. */
export interface MemoryTransportOptions extends PlanningOptions {
  /** What to listen on where listeningInfo names nothing; default random. */
  readonly name?: string;
  /** The network to be on; default the one of the process. */
  readonly hub?: MemoryHub;
  /** Bytes under way in one direction from which on `write` says stop; default 65536. */
  readonly highWaterMark?: number;
}

/** Channels inside one process: the smallest transport there is, and the reference for all others. */
export class MemoryTransport implements Transport {
  readonly type = "memory";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #name: string | undefined;
  readonly #hub: MemoryHub;
  readonly #highWaterMark: number;

  /** Throws on wrong options. */
  constructor(options: MemoryTransportOptions = {}) {
    const { cost, connectTimeout } = planning(options, { cost: 0, connectTimeout: 5000 });
    checkOptions(options);
    const { hub = processHub, highWaterMark = 65536 } = options;
    this.traits = { cost, relayed: false, signaled: false };
    this.connectTimeout = connectTimeout;
    this.#name = options.name;
    this.#hub = hub;
    this.#highWaterMark = highWaterMark;
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && nameIn(endpoint) !== undefined;
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    const { signal } = context;
    signal.throwIfAborted();
    const name = nameIn(endpoint);
    if (name === undefined) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    context.onPhase("connect");
    await new Promise<void>(nextTurn);
    signal.throwIfAborted();
    const accept = this.#hub.find(name);
    const [near, far] = MemoryChannel.pair(
      memoryEndpoint(this.#hub.nextDialer()),
      memoryEndpoint(name),
      this.#highWaterMark,
    );
    nextTurn(() => accept(far));
    return near;
  }

  async listen(context: ListenContext): Promise<Listener> {
    const indicated = context.listeningInfo.map(nameIn).filter((name) => name !== undefined);
    const wishes = indicated.length > 0 ? indicated : [this.#name];
    const names: string[] = [];
    try {
      for (const wish of wishes) names.push(this.#claim(wish, context));
    } catch (error) {
      for (const name of names) this.#hub.release(name);
      throw error;
    }
    return new MemoryListener(this.#hub, names);
  }

  /** Takes the wished name, or a random one where that is allowed and needed. */
  #claim(wish: string | undefined, context: ListenContext): string {
    const free = wish !== undefined && (context.exclusive || !this.#hub.has(wish));
    const name = free ? wish : toHex(context.runtime.random.fill(new Uint8Array(16)));
    this.#hub.listen(name, (channel) => context.onChannel(channel));
    return name;
  }
}

class MemoryListener implements Listener {
  readonly endpoints: readonly Endpoint[];
  readonly #hub: MemoryHub;
  #names: readonly string[];

  constructor(hub: MemoryHub, names: readonly string[]) {
    this.#hub = hub;
    this.#names = names;
    this.endpoints = names.map(memoryEndpoint);
  }

  async close(): Promise<void> {
    for (const name of this.#names) this.#hub.release(name);
    this.#names = [];
  }

  ref(): void {}

  unref(): void {}
}

function memoryEndpoint(name: string): Endpoint {
  return { transportType: "memory", transportInfo: { name } };
}

/** The name in a stranger's entry, if there is a usable one. */
function nameIn(endpoint: Endpoint | null): string | undefined {
  const info: unknown = endpoint?.transportInfo;
  if (typeof info !== "object" || info === null || !("name" in info)) return undefined;
  const { name } = info;
  return typeof name === "string" && isName(name) ? name : undefined;
}

function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME;
}

function checkOptions(options: MemoryTransportOptions): void {
  const { name, hub, highWaterMark } = options;
  checkOptional("options.name", name, "string");
  if (name !== undefined && !isName(name))
    throw valueError("options.name", "must be 1 to 255 characters", name);
  if (hub !== undefined && !(hub instanceof MemoryHub)) {
    throw typeError("options.hub", "an instance of MemoryHub", hub);
  }
  checkOptional("options.highWaterMark", highWaterMark, "number");
  if (highWaterMark !== undefined && !(Number.isInteger(highWaterMark) && highWaterMark > 0)) {
    throw rangeError("options.highWaterMark", "a positive integer", highWaterMark);
  }
}
