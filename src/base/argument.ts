import { nodeError } from "./errors.ts";

/** Describes a received value as Node's argument errors do. */
function received(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : "[Object: null prototype]";
  }
  if (typeof value !== "string") return `type ${typeof value} (${inspect(value)})`;
  return `type string (${inspect(value.length > 28 ? `${value.slice(0, 25)}...` : value)})`;
}

/** A primitive as Node prints it, anything else as `received` does. */
function inspect(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.includes("'") ? JSON.stringify(value) : `'${value}'`;
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    case "object":
    case "function":
      return received(value);
    default:
      return String(value);
  }
}

/** A number with the separators Node puts into those beyond 2^32. */
function separated(value: unknown): string {
  if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) <= 2 ** 32)
    return inspect(value);
  return `${value}`.replace(/\B(?=(\d{3})+$)/g, "_");
}

/** ERR_INVALID_ARG_TYPE as Node words it; `expected` is such as "of type number". */
export function typeError(name: string, expected: string, value: unknown): Error {
  const kind = name.includes(".") ? "property" : "argument";
  const message = `The "${name}" ${kind} must be ${expected}. Received ${received(value)}`;
  return nodeError("ERR_INVALID_ARG_TYPE", message, TypeError);
}

/** ERR_INVALID_ARG_VALUE: the right type with a value that is not allowed. */
export function valueError(name: string, problem: string, value: unknown): Error {
  const kind = name.includes(".") ? "property" : "argument";
  const message = `The ${kind} '${name}' ${problem}. Received ${inspect(value)}`;
  return nodeError("ERR_INVALID_ARG_VALUE", message, TypeError);
}

/** ERR_OUT_OF_RANGE: a number outside its range. */
export function rangeError(name: string, range: string, value: unknown): Error {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${separated(value)}`;
  return nodeError("ERR_OUT_OF_RANGE", message, RangeError);
}

/** Checks an optional argument of a simple type; absent is fine. */
export function checkOptional(
  name: string,
  value: unknown,
  type: "boolean" | "function" | "number" | "object" | "string",
): void {
  if (value === undefined) return;
  if (typeof value !== type || value === null) {
    throw typeError(name, type === "object" ? "an object" : `of type ${type}`, value);
  }
}

/** Checks a duration in ms: a finite number from 0 to 2^31 - 1, what a timer can hold. */
export function checkMillis(name: string, value: unknown): asserts value is number {
  if (typeof value !== "number") throw typeError(name, "of type number", value);
  if (!(value >= 0 && value <= 0x7fffffff)) throw rangeError(name, ">= 0 && <= 2147483647", value);
}

/** Checks a port, 0 to 65535; a numeric string is fine, as in `net`. */
export function checkPort(name: string, value: unknown): number {
  const port = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  const message = `${name} should be >= 0 and < 65536. Received ${received(value)}.`;
  throw nodeError("ERR_SOCKET_BAD_PORT", message, RangeError);
}

/** @throws ERR_INVALID_ARG_TYPE for what is no AbortSignal. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  if (typeof signal === "object" && signal !== null && "aborted" in signal && "addEventListener" in signal)
    return;
  throw typeError("options.signal", "an AbortSignal", signal);
}
