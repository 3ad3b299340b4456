import { checkMillis, checkOptional, rangeError, typeError, valueError } from "../base/argument.ts";
import { ipFamily } from "../base/ip.ts";
import type { Millis } from "../contract/clock.ts";
import { CONTROLLER_NAMES } from "./controllers.ts";
import type { ConnectionOptions } from "./options.ts";
import { HEADER_SIZE } from "./packet.ts";

/** Path MTU of Ethernet less IP, UDP and uTP headers (RFC 894, RFC 8200). */
const MAX_PAYLOAD = { 4: 1452, 6: 1432 } as const;
/** Fits every path (DESIGN.md §7). */
const FIRST_PAYLOAD = 1200;
/** The largest UDP payload of IPv4 less our header. */
const MAX_OWN_HOST_PAYLOAD = 65_487;
/** What another implementation may have in flight: libutp puts 1023 packets in order (its source). */
const MAX_IN_FLIGHT = 1000;
/** What our own may: it puts 4095 packets in order. */
const MAX_IN_FLIGHT_EXTENDED = 4000;
/** Room for the longest metadata, or our own extensions, and some data beside it (chosen). */
const MIN_PAYLOAD = 300;
/** The length of an extension is one byte (BEP 29). */
const MAX_META = 255;

/** ConnectionOptions with every default filled in. */
export interface ConnectionSettings {
  readonly connectTimeout: Millis;
  readonly timeout: Millis;
  readonly keepAlive: Millis | false;
  readonly minRto: Millis;
  readonly noDelay: boolean;
  readonly boundaries: boolean;
  readonly extensions: boolean;
  readonly pad: boolean;
  /** Most payload bytes per packet. */
  readonly maxPayload: number;
  /** Payload bytes per packet to start with. */
  readonly payload: number;
  readonly maxInFlight: number;
  /** The same to a peer that knows our extensions. */
  readonly maxInFlightExtended: number;
  readonly congestion: string;
  readonly sendBuffer: number;
}

/** What is known of the way to a peer. */
export interface Way {
  readonly address: string;
  /** The address is this host's own. */
  readonly ownHost: boolean;
  /** The largest datagram the socket takes. */
  readonly maxDatagram: number;
}

/** Checks options, which a user may have written, and fills in the defaults. */
export function connectionSettings(options: ConnectionOptions, way: Way): ConnectionSettings {
  checkConnectionOptions(options);
  return {
    ...payloadSizes(options, way),
    connectTimeout: options.connectTimeout ?? 5000,
    timeout: options.timeout ?? 30_000,
    keepAlive: (options.keepAlive ?? 25_000) || false,
    minRto: options.minRto ?? 200,
    noDelay: options.noDelay ?? false,
    boundaries: options.boundaries ?? false,
    extensions: options.extensions ?? true,
    pad: options.pad ?? false,
    maxInFlight: Math.min(options.maxInFlight ?? MAX_IN_FLIGHT, MAX_IN_FLIGHT),
    maxInFlightExtended: Math.min(options.maxInFlight ?? MAX_IN_FLIGHT_EXTENDED, MAX_IN_FLIGHT_EXTENDED),
    congestion: options.congestion ?? "ledbat",
    sendBuffer: options.sendBuffer ?? 256 * 1024,
  };
}

function payloadSizes(options: ConnectionOptions, { address, ownHost, maxDatagram }: Way) {
  const large = ownHost && (options.ownHost ?? true);
  const path = large ? MAX_OWN_HOST_PAYLOAD : MAX_PAYLOAD[ipFamily(address) === 6 ? 6 : 4];
  const maxPayload = Math.min(options.maxPayload ?? path, path, maxDatagram - HEADER_SIZE);
  // Whoever says how much fits is believed; else path MTU discovery decides.
  const known = large || options.maxPayload !== undefined;
  return { maxPayload, payload: known ? maxPayload : Math.min(FIRST_PAYLOAD, maxPayload) };
}

const FLAGS = ["pad", "extensions", "noDelay", "boundaries", "ownHost"] as const;
const TIMES = ["connectTimeout", "timeout", "minRto"] as const;

/** Throws Node's argument errors for what a user got wrong. */
export function checkConnectionOptions(options: ConnectionOptions): void {
  for (const name of FLAGS) {
    if (options[name] !== undefined) checkOptional(`options.${name}`, options[name], "boolean");
  }
  for (const name of TIMES) {
    if (options[name] !== undefined) checkMillis(`options.${name}`, options[name]);
  }
  if (options.keepAlive !== undefined && options.keepAlive !== false)
    checkMillis("options.keepAlive", options.keepAlive);
  checkCount("options.maxPayload", options.maxPayload, MIN_PAYLOAD);
  checkCount("options.maxInFlight", options.maxInFlight);
  checkCount("options.sendBuffer", options.sendBuffer);
  checkCongestion(options.congestion);
  checkBytes("options.data", options.data);
  checkMeta("options.meta", options.meta);
}

function checkCount(name: string, value: unknown, least = 1): void {
  checkOptional(name, value, "number");
  if (value !== undefined && !(Number.isInteger(value) && (value as number) >= least)) {
    throw rangeError(name, `a whole number of at least ${least}`, value);
  }
}

function checkCongestion(name: unknown): void {
  checkOptional("options.congestion", name, "string");
  if (name === undefined || CONTROLLER_NAMES.includes(name as string)) return;
  throw valueError("options.congestion", `must be one of ${CONTROLLER_NAMES.join(", ")}`, name);
}

function checkBytes(name: string, value: unknown): void {
  if (value !== undefined && !(value instanceof Uint8Array)) throw typeError(name, "a Uint8Array", value);
}

/** Metadata fits an extension, or throws. */
export function checkMeta(name: string, value: Uint8Array | undefined): void {
  checkBytes(name, value);
  if (value && value.length > MAX_META) throw rangeError(`${name}.length`, `<= ${MAX_META}`, value.length);
}
