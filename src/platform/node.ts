import { lookup } from "node:dns/promises";
import net from "node:net";
import { networkInterfaces } from "node:os";
import { performance } from "node:perf_hooks";
import { debuglog } from "node:util";
import type { Clock, Timer } from "../contract/clock.ts";
import type { CipherName } from "../contract/crypto.ts";
import type { NetworkInterface, Runtime } from "../contract/runtime.ts";
import type { WebRtc } from "../contract/web-rtc.ts";
import { bindDatagram } from "./node-datagram.ts";
import { ipv4Gateways } from "./node-gateways.ts";
import { createPrivateFile, readPrivateFile } from "./node-private-file.ts";
import { nodeRandom } from "./node-random.ts";

export { Buffer } from "node:buffer";
export { Socket as DgramSocket } from "node:dgram";
export { channel as diagnosticsChannel } from "node:diagnostics_channel";
export { EventEmitter } from "node:events";
export { addAbortSignal, Duplex } from "node:stream";
export { nodeCrypto as crypto } from "./node-crypto.ts";
export { borrowDatagram, dgramOf } from "./node-datagram.ts";
export type {
  WebAnswer,
  WebClient,
  WebHost,
  WebServer,
  WebServerOptions,
  WebServerTls,
} from "./node-web-server.ts";
export type { WebClientTls } from "./node-web-socket.ts";

/** The cipher a dialler takes unless the server asks otherwise: the faster one here. */
export const preferredCipher: CipherName = "AESGCM";

/** The kernel's TCP: `node:net`. Undefined in runtimes without it. */
export const tcp: typeof net | undefined = net;

/** TLS over TCP: `node:tls`, loaded when first needed. Undefined in runtimes without it. */
export const tls: (() => Promise<typeof import("node:tls")>) | undefined = () => import("node:tls");

/** Connects through proxies; loaded when first needed. Undefined in runtimes that cannot. */
export const tunnels: (() => Promise<typeof import("./node-tunnel.ts")>) | undefined = () =>
  import("./node-tunnel.ts");

/** Opens and serves WebSockets. Loaded when first needed: it takes longer to load than all the rest (m). */
export const webSockets = (): Promise<typeof import("./node-web-socket.ts")> =>
  import("./node-web-socket.ts");

/** Whether `loadWebRtc` has something to load. */
export function hasWebRtc(): boolean {
  try {
    return import.meta.resolve("wrtc") !== "";
  } catch {
    return false;
  }
}

/** WebRTC, loaded when first needed. Rejects where there is none: in Node it is an optional package. */
export async function loadWebRtc(): Promise<WebRtc> {
  const { default: wrtc } = await import("wrtc");
  process.off("beforeExit", skipTeardown).on("beforeExit", skipTeardown);
  return wrtc;
}

/** `wrtc` may crash when Node takes down what is not collected yet, at its natural end only (m): that is left out, after all else. */
function skipTeardown(): void {
  process.off("exit", process.exit).on("exit", process.exit);
}

/** Files that only their owner may read. Undefined in runtimes without files. */
export const privateFiles:
  | { readonly create: typeof createPrivateFile; readonly read: typeof readPrivateFile }
  | undefined = { create: createPrivateFile, read: readPrivateFile };

/** Runs a task after the current operation, before any I/O. */
export const nextTick: (task: () => void) => void = process.nextTick;

/**
 * Runs a task once everything that is under way now has settled, promises included, and before any I/O: what
 * a turn of the event loop is to a stream with a wire. Ticks alone would overtake whoever awaits.
 */
export function nextTurn(task: () => void): void {
  queueMicrotask(() => nextTick(task));
}

/** An environment variable; undefined in runtimes without an environment. */
export function environment(name: string): string | undefined {
  return process.env[name];
}

const MAX_TIMEOUT = 0x7fffffff;

class NodeTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(delay: number, fire: () => void) {
    this.#timeout = setTimeout(fire, Math.min(Math.ceil(Math.max(0, delay)), MAX_TIMEOUT));
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  ref(): void {
    this.#timeout.ref();
  }

  unref(): void {
    this.#timeout.unref();
  }
}

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: (at, fire) => new NodeTimer(at - performance.now(), fire),
};

/** The addresses of this host, zone-free. */
function interfaces(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map((entry) => ({
      name,
      address: entry.address,
      family: entry.family,
      prefix: Number(entry.cidr?.split("/")[1] ?? (entry.family === "IPv4" ? 32 : 128)),
      internal: entry.internal,
      ...(entry.scopeid ? { scopeId: entry.scopeid } : {}),
    })),
  );
}

/** Node's clock, randomness, sockets and interfaces. */
export const runtime: Runtime = {
  clock,
  random: nodeRandom,
  bindDatagram,
  tcp: true,
  interfaces,
  gateways: ipv4Gateways,
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  afterInput: (task) => void setImmediate(task),
  // A promise settles in the first turn, and what an event listener of its awaiter does in the second.
  afterDelivery: (task) => nextTurn(() => nextTurn(task)),
  log: debuglog("1tp"),
};
