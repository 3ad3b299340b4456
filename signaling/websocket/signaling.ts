import { crypto, environment, nextTurn, runtime, tunnels, webSockets } from "#platform";
import { checkOptional, rangeError, typeError, valueError } from "../../src/base/argument.ts";
import { webProxy } from "../../src/base/environment-proxy.ts";
import { nodeError, OnetpError } from "../../src/base/errors.ts";
import { checkProxy, type ProxyOption } from "../../src/base/proxy.ts";
import { checkSalt, deriveUid, isUid, SALT_LENGTH } from "../../src/base/uid.ts";
import type { KeyPair } from "../../src/contract/crypto.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
  SignalingServices,
} from "../../src/contract/dialog.ts";
import type { JsonObject } from "../../src/contract/endpoint.ts";
import { originOf } from "../registrar/proof.ts";
import type { Environment } from "./connection.ts";
import { type Enrolment, RegistrarLink } from "./link.ts";

type OpenWebSocket = Awaited<ReturnType<typeof webSockets>>["openWebSocket"];

const TYPE = "websocket-signaling";

/** The longest URL in a stranger's address that is dialled (chosen: browsers stop at 2,048). */
const MAX_URL = 2_048;

/** The link to our own registrars: no origin. */
const OWN = "own";

/** More URLs are a mistake (chosen). */
const MAX_URLS = 16;

/** Registrars that are needed at once, those included that addresses name (chosen: peers use a few). */
const MAX_LINKS = 16;

/** Options of the websocket signaling. */
export interface WebSocketSignalingOptions {
  /**
   * The registrar to register with; http and https mean ws and wss. Of several URLs of one registrar, or of registrars
   * that share a directory, one is used at a time, and the next when it drains or is down.
   */
  readonly url: string | readonly string[];
  /** What the registrar asks for, if it does. Never told to another registrar. */
  readonly token?: string;
  /**
   * A proxy on the way to every registrar, a URL that begins with http, https (CONNECT), socks5 or socks5h; it looks up names.
   * False: none. Default: what `HTTPS_PROXY` and `NO_PROXY` say. Not in browsers.
   */
  readonly proxy?: ProxyOption;
}

/**
 * Dialogs over a registrar (`1tp registrar`). One connection for all that share it, renewed for ever while
 * something is registered. Addresses that name another registrar are opened there.
 */
export class WebSocketSignaling implements Signaling {
  readonly #urls: readonly string[];
  /** Of our own URLs. */
  readonly #origins: ReadonlySet<string>;
  readonly #token: string | undefined;
  readonly #proxy: ProxyOption | undefined;
  /** By origin, path and query; the one of our own URLs is `OWN`. */
  readonly #links = new Map<string, RegistrarLink>();
  #keyPair: KeyPair | undefined;
  #closed = false;

  /** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
  constructor(options: WebSocketSignalingOptions) {
    const urls = urlsIn(options);
    const { token, proxy } = options;
    checkOptional("options.token", token, "string");
    checkProxy(proxy, tunnels !== undefined);
    for (const url of urls) {
      if (originOf(url) !== undefined) continue;
      throw valueError("options.url", "must be a URL that begins with ws, wss, http or https", url);
    }
    this.#urls = urls;
    this.#origins = new Set(urls.map((url) => originOf(url)!));
    this.#token = token;
    this.#proxy = proxy;
  }

  accepts(address: JsonObject): boolean {
    if (address?.type !== TYPE || !isUid(address.uid)) return false;
    const url = Object.hasOwn(address, "url") ? address.url : this.#urls[0]!;
    return typeof url === "string" && url.length <= MAX_URL && originOf(url) !== undefined;
  }

  leavesNames(address: JsonObject): boolean {
    if (!tunnels || !this.accepts(address)) return false;
    return webProxy(this.#urlIn(address), this.#proxy, environment) !== undefined;
  }

  async register(options: RegisterOptions): Promise<Registration> {
    checkSalt(options.salt);
    const { random } = runtime;
    const {
      transportType,
      keyPair = this.#ownKey(),
      salt = random.fill(new Uint8Array(SALT_LENGTH)),
    } = options;
    const uid = deriveUid(crypto, keyPair.publicKey, salt);
    const enrolment: Enrolment = {
      uid,
      keyPair,
      salt,
      transportType,
      referenced: true,
      onDialog: (dialog) => nextTurn(() => options.onDialog(dialog)),
      onLost: (error) => nextTurn(() => options.onClose?.(error)),
    };
    const { openWebSocket } = await webSockets();
    const link = this.#linkTo(this.#urls[0]!, openWebSocket);
    const url = await link.enrol(enrolment);
    const setRef = (referenced: boolean): void => {
      enrolment.referenced = referenced;
      link.updateRef();
    };
    return {
      address: { type: TYPE, uid, url },
      close: () => link.withdraw(enrolment),
      ref: () => setRef(true),
      unref: () => setRef(false),
    };
  }

  async open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    signal?.throwIfAborted();
    if (!this.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
    const url = this.#urlIn(address);
    const { openWebSocket } = await webSockets();
    signal?.throwIfAborted();
    return this.#linkTo(url, openWebSocket).open(address.uid, transportType, signal);
  }

  async services(signal?: AbortSignal): Promise<SignalingServices> {
    signal?.throwIfAborted();
    const { openWebSocket } = await webSockets();
    signal?.throwIfAborted();
    return this.#linkTo(this.#urls[0]!, openWebSocket).services(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /** Of an accepted address. */
  #urlIn({ url = this.#urls[0]! }: JsonObject): string {
    return url as string;
  }

  /** To be used at once: links that nobody needs are forgotten. */
  #linkTo(url: string, openWebSocket: OpenWebSocket): RegistrarLink {
    if (this.#closed) throw nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
    const origin = originOf(url)!;
    const own = this.#origins.has(origin);
    const { pathname, search } = new URL(url);
    const name = own ? OWN : `${origin}${pathname}${search}`;
    const known = this.#links.get(name);
    if (known) return known;
    for (const [other, link] of this.#links) if (link.unused) this.#links.delete(other);
    if (this.#links.size >= MAX_LINKS) {
      throw new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail: `at most ${MAX_LINKS} registrars at once` });
    }
    const { clock, random } = runtime;
    const open: Environment["open"] = (at, sink) => openWebSocket(at, sink, {}, this.#proxy);
    const platform = { clock, random, crypto, open };
    const link = own
      ? new RegistrarLink(this.#urls, this.#token, platform)
      : new RegistrarLink([url], undefined, platform);
    this.#links.set(name, link);
    return link;
  }

  #ownKey(): KeyPair {
    this.#keyPair ??= crypto.keyPair(runtime.random.fill(new Uint8Array(32)));
    return this.#keyPair;
  }
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
function urlsIn(options: WebSocketSignalingOptions | undefined): readonly string[] {
  const url: unknown = options?.url;
  const urls: unknown[] = Array.isArray(url) ? url : [url];
  if (!urls.every((each) => typeof each === "string")) {
    throw typeError("options.url", "of type string or an array of strings", url);
  }
  if (urls.length < 1 || urls.length > MAX_URLS) {
    throw rangeError("options.url", `1 to ${MAX_URLS} URLs`, urls.length);
  }
  return urls;
}
