import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { parseArgs } from "node:util";
import {
  type CreateRegistrarOptions,
  DEFAULT_LIMITS,
  type RegistrarLimits,
} from "../../signaling/registrar/index.ts";
import { UsageError } from "./usage.ts";

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;

/** What `1tp registrar` understands; `USAGE` explains it. */
const OPTIONS = {
  port: text,
  host: text,
  url: texts,
  "tls-cert": text,
  "tls-key": text,
  "trust-proxy": flag,
  "token-file": text,
  "stun-port": text,
  "stun-second-port": text,
  "stun-address": texts,
  "stun-uri": texts,
  "no-stun": flag,
  "turn-uri": texts,
  "turn-secret-file": text,
  "no-relay": flag,
  limit: texts,
  "drain-timeout": text,
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
type Name = keyof typeof OPTIONS;

/** The options of a registrar from a command line. Reads the files it names. @throws UsageError, ERR_PARSE_ARGS_… */
export function registrarOptions(args: readonly string[]): CreateRegistrarOptions {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const token = fileOf(values, "token-file")?.trim();
  if (token === "") throw new UsageError("--token-file: the file is empty");
  return present({
    port: numberOf(values, "port"),
    host: values.host,
    urls: values.url,
    tls: tlsOf(values),
    trustProxy: values["trust-proxy"],
    token,
    stun: stunOf(values),
    turn: turnOf(values),
    relay: !values["no-relay"],
    limits: limitsOf(values.limit),
    drainTimeout: numberOf(values, "drain-timeout"),
  });
}

function tlsOf(values: Values): CreateRegistrarOptions["tls"] {
  const cert = fileOf(values, "tls-cert");
  const key = fileOf(values, "tls-key");
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--tls-cert and --tls-key need each other");
  }
  if (cert === undefined || key === undefined) return undefined;
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new UsageError(
      `--tls-cert and --tls-key are no certificate and its key: ${(error as Error).message}`,
    );
  }
  return { cert, key };
}

function stunOf(values: Values): CreateRegistrarOptions["stun"] {
  const stun = {
    port: numberOf(values, "stun-port"),
    alternatePort: numberOf(values, "stun-second-port"),
    addresses: values["stun-address"],
    uris: values["stun-uri"],
  };
  const given = present(stun);
  if (!values["no-stun"]) return given;
  if (Object.keys(given).length > 0) throw new UsageError("--no-stun contradicts the other --stun options");
  return false;
}

function turnOf(values: Values): CreateRegistrarOptions["turn"] {
  const uris = values["turn-uri"];
  const secret = fileOf(values, "turn-secret-file")?.trim();
  if ((uris === undefined) !== (secret === undefined)) {
    throw new UsageError("--turn-uri and --turn-secret-file need each other");
  }
  if (secret === "") throw new UsageError("--turn-secret-file: the file is empty");
  return uris === undefined || secret === undefined ? undefined : { uris, secret };
}

function limitsOf(settings: readonly string[] = []): Partial<RegistrarLimits> {
  const limits: Record<string, number> = {};
  for (const setting of settings) {
    const [, name = "", digits] = /^(\w+)=(\d+)$/.exec(setting) ?? [];
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const names = Object.keys(DEFAULT_LIMITS).join(", ");
      throw new UsageError(`--limit ${setting}: not <name>=<n> with one of these names: ${names}`);
    }
    limits[name] = Number(digits);
  }
  return limits;
}

function numberOf(values: Values, name: Name): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  throw new UsageError(`--${name} has to be a number, not ${value}`);
}

function fileOf(values: Values, name: Name): string | undefined {
  const path = values[name];
  if (typeof path !== "string") return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--${name}: ${(error as Error).message}`);
  }
}

/** Without what is undefined. */
function present<Options extends object>(
  options: Options,
): {
  [Name in keyof Options]?: Exclude<Options[Name], undefined>;
} {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
