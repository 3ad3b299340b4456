import type { WebServerTls } from "#platform";
import {
  checkMillis,
  checkOptional,
  checkPort,
  rangeError,
  typeError,
  valueError,
} from "../../src/base/argument.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Directory } from "../../src/contract/directory.ts";
import { limitsWith, type RegistrarLimits } from "./limits.ts";
import { MemoryDirectory } from "./memory-directory.ts";
import { originOf } from "./proof.ts";
import { MAX_TOKEN } from "./protocol.ts";
import { checkServices, type StunOptions, type TurnOptions } from "./services.ts";

/** How a registrar is to run. */
export interface CreateRegistrarOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** An own address; default every address of both families. */
  readonly host?: string;
  /**
   * The URLs clients dial, such as `wss://signal.example.org`; needed for a name, and behind a proxy or a
   * NAT. Default: this host's own addresses and `localhost`.
   */
  readonly urls?: readonly string[];
  /** What clients have to know; default: nobody is asked. */
  readonly token?: string;
  /** Take a client's address from the last entry of X-Forwarded-For. Only behind a proxy that writes it. */
  readonly trustProxy?: boolean;
  /** Certificate and key, as `node:tls` takes them; default: no TLS. */
  readonly tls?: WebServerTls;
  /** STUN on the same host, over UDP and TCP; default: on any free port. */
  readonly stun?: StunOptions | false;
  /** What clients are given to use TURN servers; default: nothing. Whoever may connect is given it: ask for a `token`. */
  readonly turn?: TurnOptions;
  /** Carry bytes between the two ends of a dialog when both ask for it; default true. */
  readonly relay?: boolean;
  readonly limits?: Partial<RegistrarLimits>;
  /** What the registrars of a cluster share; default: one for this registrar alone. */
  readonly directory?: Directory;
  /** How long `close` lets dialogs end; default 5000 ms. */
  readonly drainTimeout?: Millis;
}

/** The options, checked and complete but for what may be absent. */
export interface RegistrarSettings extends CreateRegistrarOptions {
  readonly port: number;
  readonly urls: readonly string[];
  readonly limits: RegistrarLimits;
  readonly directory: Directory;
  readonly drainTimeout: Millis;
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_SOCKET_BAD_PORT */
export function registrarSettings(options: CreateRegistrarOptions): RegistrarSettings {
  checkOptional("options", options, "object");
  const { urls = [], drainTimeout = 5_000, directory = new MemoryDirectory() } = options;
  checkOptional("options.host", options.host, "string");
  checkOptional("options.token", options.token, "string");
  checkToken(options.token);
  checkOptional("options.trustProxy", options.trustProxy, "boolean");
  checkOptional("options.relay", options.relay, "boolean");
  checkOptional("options.tls", options.tls, "object");
  checkOptional("options.limits", options.limits, "object");
  checkOptional("options.directory", directory, "object");
  checkMillis("options.drainTimeout", drainTimeout);
  checkServices(options.stun, options.turn);
  if (!Array.isArray(urls)) throw typeError("options.urls", "an array of URLs", urls);
  const wrong = urls.find((url) => typeof url !== "string" || originOf(url) === undefined);
  if (wrong !== undefined)
    throw valueError("options.urls", "must hold URLs that begin with ws, wss, http or https", wrong);
  const port = checkPort("options.port", options.port ?? 0);
  return { ...options, port, urls, limits: limitsWith(options.limits), directory, drainTimeout };
}

/** An empty one would let everybody in, and what is longer than clients may say nobody. The value is a secret, and errors are logged. */
function checkToken(token: string | undefined): void {
  if (token === undefined || (token.length > 0 && token.length <= MAX_TOKEN)) return;
  throw rangeError("options.token", `1 to ${MAX_TOKEN} characters`, `${token.length} characters`);
}
