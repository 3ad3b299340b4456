import { runtime as platformRuntime } from "#platform";
import {
  checkMillis,
  checkOptional,
  checkSignal,
  rangeError,
  typeError,
  valueError,
} from "../base/argument.ts";
import type { Millis } from "../contract/clock.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Framing } from "../host/utp-channel.ts";
import { CONTROLLER_NAMES } from "../utp/controllers.ts";
import type { ConnectionOptions as EngineOptions } from "../utp/options.ts";
import { initialData, type MetaBytes, PACKETS } from "./packets.ts";

/** How a connection behaves. Where a number is absent the engine adapts to the path. */
export interface ConnectionOptions {
  /** Keep our side open after the peer has ended its side. Default false. */
  readonly allowHalfOpen?: boolean;
  /** What each direction may buffer before it pushes back: bytes, or packets read in object mode. Default: Node's. */
  readonly highWaterMark?: number;
  /** Read packet by packet, each a Buffer with the `meta` its sender gave it; write Buffers with a `meta`. Default false. */
  readonly objectMode?: boolean;
  /** The beginning of the stream, which rides in the SYN as far as it fits. In object mode it may have a `meta`. */
  readonly data?: string | MetaBytes;
  /** Ms after which a peer that does not answer is given up: `'timeout'`, then `'error'` ETIMEDOUT. Default 5000; 0: never. */
  readonly timeout?: Millis;
  /** Send small writes at once although others are unacknowledged. Default false, as in `net`. */
  readonly noDelay?: boolean;
  /** Ms of idleness after which the peer is asked whether it lives. Default 25000; 0 or false: never. */
  readonly keepAlive?: Millis | false;
  /** Most packets in flight. */
  readonly bufferSize?: number;
  /** Most payload bytes in a packet, at least 300. */
  readonly mtu?: number;
  /** Least ms before a packet is sent again. */
  readonly resend?: Millis;
  /** Congestion controller: `'ledbat'` (the default), which leaves the link to others, or `'bbr'`, which takes its share. */
  readonly congestion?: string;
  /** Destroys the connection when it aborts. */
  readonly signal?: AbortSignal;
  /** Where clock, randomness, names and sockets come from; for simulations. */
  readonly runtime?: Runtime;
}

/** ConnectionOptions, checked and decided. */
export interface ConnectionSettings {
  readonly stream: object;
  readonly engine: EngineOptions;
  readonly framing: Framing | undefined;
  /** Bytes that count as written from the start. */
  readonly dataLength: number;
  readonly signal: AbortSignal | undefined;
  readonly runtime: Runtime;
}

/** A dialler's patience (the earlier libraries': 5 s). */
const TIMEOUT: Millis = 5000;
/** What a timer can hold: 24 days. */
const NEVER: Millis = 0x7fffffff;
/** What a packet must have room for: the longest metadata and some bytes (the engine's bound). */
const LEAST_MTU = 300;

/** Checks options. @throws with the codes Node uses. */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  checkOptions(options);
  const { objectMode = false, timeout = TIMEOUT, keepAlive, runtime = platformRuntime } = options;
  const { bytes, meta } = initialData(options.data, objectMode);
  return {
    stream: given({
      allowHalfOpen: options.allowHalfOpen ?? false,
      highWaterMark: options.highWaterMark,
      readableObjectMode: objectMode,
    }),
    engine: given({
      data: bytes,
      meta,
      connectTimeout: timeout || NEVER,
      keepAlive: keepAlive === undefined ? undefined : keepAlive || false,
      minRto: options.resend,
      maxInFlight: options.bufferSize,
      maxPayload: options.mtu,
      noDelay: options.noDelay,
      boundaries: objectMode,
      congestion: options.congestion ?? "ledbat",
    }),
    framing: objectMode ? PACKETS : undefined,
    dataLength: bytes?.length ?? 0,
    signal: options.signal,
    runtime,
  };
}

/** The fields that are there. */
function given<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function checkOptions(options: ConnectionOptions): void {
  if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
  for (const name of ["allowHalfOpen", "objectMode", "noDelay"] as const) {
    checkOptional(`options.${name}`, options[name], "boolean");
  }
  for (const name of ["timeout", "resend"] as const) {
    if (options[name] !== undefined) checkMillis(`options.${name}`, options[name]);
  }
  if (options.keepAlive !== undefined && options.keepAlive !== false)
    checkMillis("options.keepAlive", options.keepAlive);
  checkCount("options.highWaterMark", options.highWaterMark, 0);
  checkCount("options.bufferSize", options.bufferSize, 1);
  checkCount("options.mtu", options.mtu, LEAST_MTU);
  checkCongestion(options.congestion);
  checkSignal(options.signal);
  checkOptional("options.runtime", options.runtime, "object");
}

function checkCount(name: string, value: number | undefined, least: number): void {
  checkOptional(name, value, "number");
  if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
    throw rangeError(name, `a whole number of at least ${least}`, value);
  }
}

function checkCongestion(name: string | undefined): void {
  checkOptional("options.congestion", name, "string");
  if (name !== undefined && !CONTROLLER_NAMES.includes(name)) {
    throw valueError("options.congestion", `must be '${CONTROLLER_NAMES.join("' or '")}'`, name);
  }
}
