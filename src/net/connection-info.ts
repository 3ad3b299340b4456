import { typeError } from "../base/argument.ts";
import { fromBase64Url } from "../base/bytes.ts";
import { OnetpError } from "../base/errors.ts";
import type { ConnectionInfo, Endpoint, Json, JsonObject } from "../contract/endpoint.ts";

/** Chosen: a server with a dozen interfaces and every transport stays below. */
const MAX_ENTRIES = 256;
/** Chosen: characters of all keys and values of one entry; real ones have under 500. */
const MAX_ENTRY_SIZE = 4096;
/** Chosen: a transportInfo that nests a signaling address has three levels. */
const MAX_DEPTH = 6;
/** Chosen: words appear in messages, so nothing in them may break a line or steer a terminal. */
const WORD = /^[!-~]{1,64}$/;

/**
 * Copies what a stranger wrote into clean entries; malformed ones are left out.
 * @throws ERR_INVALID_ARG_TYPE if it is neither an object nor an array (our own caller's mistake);
 * OnetpError `ERR_1TP_BAD_ADDRESS` if the whole is unusable, `ERR_1TP_NO_TRANSPORT` if it is empty.
 */
export function parseConnectionInfo(input: unknown): ConnectionInfo {
  checkConnectionInfo(input);
  const list: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (list.length === 0) throw new OnetpError("ERR_1TP_NO_TRANSPORT", { detail: "connectionInfo is empty" });
  if (list.length > MAX_ENTRIES)
    throw badAddress(`${list.length} entries, at most ${MAX_ENTRIES} are allowed`);
  const endpoints: Endpoint[] = [];
  for (const entry of list) {
    const endpoint = parseEndpoint(entry);
    if (endpoint) endpoints.push(endpoint);
  }
  if (endpoints.length === 0) throw badAddress("no entry of connectionInfo is well-formed");
  checkOneKey(endpoints);
  return endpoints;
}

/** Throws ERR_INVALID_ARG_TYPE for what cannot be a connectionInfo at all. */
export function checkConnectionInfo(input: unknown): asserts input is object {
  if (typeof input !== "object" || input === null) {
    const expected = "what server.address() gave or decodeTicket() read: an array of entries, or one entry";
    throw typeError("connectionInfo", expected, input);
  }
}

/** The error of what is no connectionInfo. */
export function badAddress(detail: string): OnetpError {
  return new OnetpError("ERR_1TP_BAD_ADDRESS", { detail });
}

function checkOneKey(endpoints: readonly Endpoint[]): void {
  const keys = new Set(endpoints.map(({ publicKey }) => publicKey));
  keys.delete(undefined);
  if (keys.size > 1) throw badAddress("the entries carry different public keys");
}

/** One clean entry with the known fields only, or undefined. Never throws. */
export function parseEndpoint(entry: unknown): Endpoint | undefined {
  const clean = cleanCopy(entry);
  if (!isObject(clean)) return undefined;
  const { transportType, transportInfo, version, publicKey, suite } = clean;
  if (!isWord(transportType) || !isObject(transportInfo)) return undefined;
  if (publicKey !== undefined && !isKey(publicKey)) return undefined;
  return {
    transportType,
    transportInfo,
    ...(isWord(version) ? { version } : {}),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(isWord(suite) ? { suite } : {}),
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && WORD.test(value);
}

function isKey(value: unknown): value is string {
  return typeof value === "string" && value.length === 43 && fromBase64Url(value)?.length === 32;
}

/** The characters an entry may still have. */
interface Budget {
  left: number;
}

/** A deep copy of plain JSON within the limits, or undefined, also where a getter throws. */
function cleanCopy(value: unknown): Json | undefined {
  try {
    return copyJson(value, { left: MAX_ENTRY_SIZE }, 0);
  } catch {
    return undefined;
  }
}

function copyJson(value: unknown, budget: Budget, depth: number): Json | undefined {
  budget.left -= sizeOf(value);
  if (budget.left < 0 || depth > MAX_DEPTH) return undefined;
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "object") return undefined;
  return Array.isArray(value) ? copyArray(value, budget, depth + 1) : copyObject(value, budget, depth + 1);
}

/** What a value costs by itself: at least 1, so that no array of nothings is free. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length + 1;
  return typeof value === "number" ? String(value).length : 1;
}

function copyArray(value: readonly unknown[], budget: Budget, depth: number): Json | undefined {
  const copy: Json[] = [];
  for (const item of value) {
    const clean = copyJson(item, budget, depth);
    if (clean === undefined) return undefined;
    copy.push(clean);
  }
  return copy;
}

function copyObject(value: object, budget: Budget, depth: number): JsonObject | undefined {
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    if (key === "__proto__") continue;
    const item: unknown = Reflect.get(value, key);
    if (item === undefined) continue;
    budget.left -= key.length;
    const clean = copyJson(item, budget, depth);
    if (clean === undefined) return undefined;
    copy[key] = clean;
  }
  return copy;
}
