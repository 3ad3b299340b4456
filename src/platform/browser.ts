import { Buffer as PortableBuffer } from "buffer";
import { EventEmitter as PortableEventEmitter } from "events";
import * as streams from "readable-stream";
import { OnetpError } from "../base/errors.ts";
import type { Clock, Timer } from "../contract/clock.ts";
import type { CipherName } from "../contract/crypto.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { WebRtc } from "../contract/web-rtc.ts";
import type * as node from "./node.ts";

export { browserChannel as diagnosticsChannel } from "./browser-diagnostics.ts";
export { nextTurn } from "./browser-turn.ts";
export { nobleCrypto as crypto } from "./noble-crypto.ts";

const portable = streams as unknown as Pick<typeof node, "Duplex" | "addAbortSignal">;

/** Node's own as packages have them: the same to whoever uses them. */
export const Buffer = PortableBuffer as unknown as typeof node.Buffer;
export const EventEmitter = PortableEventEmitter as typeof node.EventEmitter;
export const Duplex = portable.Duplex;
export const addAbortSignal = portable.addAbortSignal;

/** No UDP socket is one of these. */
export const DgramSocket = class {
  constructor() {
    throw unsupported("no UDP here");
  }
} as unknown as typeof node.DgramSocket;

/** Rejects: there is no UDP. */
export const borrowDatagram: typeof node.borrowDatagram = async () => {
  throw unsupported("no UDP here");
};

/** Behind no DatagramSocket is one of `dgram`. */
export const dgramOf: typeof node.dgramOf = () => undefined;

/** The cipher a dialler takes unless the server asks otherwise: the faster one in JavaScript. */
export const preferredCipher: CipherName = "ChaChaPoly";

/** No TCP, and no TLS of our own. */
export const tcp: typeof node.tcp = undefined;
export const tls: typeof node.tls = undefined;

/** A browser has its own proxies. */
export const tunnels: typeof node.tunnels = undefined;

/** The browser's own WebSockets; what needs a server is unsupported. */
export const webSockets = async (): ReturnType<typeof node.webSockets> => import("./browser-web-socket.ts");

/** Whether this page, or worker, has WebRTC. */
export const hasWebRtc: typeof node.hasWebRtc = () => "RTCPeerConnection" in globalThis;

/** The browser's own WebRTC. Rejects where there is none, as in workers. */
export const loadWebRtc: typeof node.loadWebRtc = async () => {
  const { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate } = globalThis as unknown as WebRtc;
  if (!RTCPeerConnection) throw unsupported("no WebRTC here");
  return { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate };
};

/** No files. */
export const privateFiles: typeof node.privateFiles = undefined;

/** Runs a task after the current operation, before any I/O. */
export const nextTick: typeof node.nextTick = (task) => queueMicrotask(task);

/** A global text of that name: a page has no other environment. */
export const environment: typeof node.environment = (name) => {
  const value = (globalThis as Readonly<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : undefined;
};

/** How many random bytes a browser gives at once (Web Cryptography API §10.1.1). */
const MAX_RANDOM = 65_536;

function fillRandom<T extends Uint8Array>(bytes: T): T {
  for (let at = 0; at < bytes.length; at += MAX_RANDOM) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + MAX_RANDOM));
  }
  return bytes;
}

const MAX_TIMEOUT = 0x7fffffff;

class BrowserTimer implements Timer {
  readonly #timeout: ReturnType<typeof setTimeout>;

  constructor(delay: number, fire: () => void) {
    this.#timeout = setTimeout(fire, Math.min(Math.ceil(Math.max(0, delay)), MAX_TIMEOUT));
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  /** A page lives as long as its tab. */
  ref(): void {}

  unref(): void {}
}

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: (at, fire) => new BrowserTimer(at - performance.now(), fire),
};

/** A browser's clock and randomness; it tells of no interfaces, and has neither UDP nor DNS. */
export const runtime: Runtime = {
  clock,
  random: { fill: fillRandom },
  interfaces: () => [],
  log: () => undefined,
};

function unsupported(detail: string): OnetpError {
  return new OnetpError("ERR_1TP_UNSUPPORTED", { detail });
}
