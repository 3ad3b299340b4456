import { tcp, tunnels, type WebClientTls, type WebHost, type WebServerTls } from "#platform";
import { checkOptional, rangeError, typeError, valueError } from "../../src/base/argument.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import { checkProxy, type ProxyOption } from "../../src/base/proxy.ts";
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
import { dialWebSocket, type WebSocketDialOptions } from "./dial.ts";
import { listenWebSocket, MAX_MESSAGE, type WebSocketServerOptions } from "./listener.ts";
import { parseWebSocketUrl } from "./url.ts";

/** Chosen: more than a TCP segment, and less is no use. */
const MIN_MESSAGE = 1024;

/** Options of the websocket transport; `cost` is 30 and `connectTimeout` 5000 unless given. */
export interface WebSocketTransportOptions extends PlanningOptions {
  /** Where the server takes WebSockets and what it announces; default `/1tp`. */
  readonly path?: string;
  /** An http or https server to listen at, in place of a port of its own. It answers all other requests, and stays open. */
  readonly server?: WebHost;
  /** The URLs to announce, such as those of a proxy in front; default: those of all own addresses. */
  readonly urls?: readonly string[];
  /** Pages of other origins are refused; default: all may, since every connection proves its keys. */
  readonly origins?: readonly string[];
  /** As `node:tls` takes them: `key` and `cert` of the server, `ca` and such for dials of wss URLs. Not in browsers. */
  readonly tls?: WebServerTls & WebClientTls;
  /** Bytes of the longest message that is sent, for proxies with limits: 1024 to 65536, the default. */
  readonly maxPayload?: number;
  /**
   * A proxy to dial through, a URL that begins with http, https (CONNECT), socks5 or socks5h; it looks up names. False: none.
   * Default: what `HTTPS_PROXY` and `NO_PROXY` say. Not in browsers.
   */
  readonly proxy?: ProxyOption;
}

/** WebSockets (RFC 6455). Dials ws and wss URLs; listens where there is TCP. */
export class WebSocketTransport implements Transport {
  readonly type = "websocket";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly listen?: (context: ListenContext) => Promise<Listener>;
  readonly #dialOptions: WebSocketDialOptions;

  /** Throws on wrong options. */
  constructor(options: WebSocketTransportOptions = {}) {
    const { cost, connectTimeout } = planning(options, { cost: 30, connectTimeout: 5000 });
    const settings = checkOptions(options);
    this.traits = { cost, relayed: false, signaled: false };
    this.connectTimeout = connectTimeout;
    const { maxPayload, tls } = settings;
    this.#dialOptions = { maxPayload, tls, proxy: options.proxy };
    if (tcp) this.listen = (context) => listenWebSocket(settings, context);
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && parseWebSocketUrl(endpoint.transportInfo) !== undefined;
  }

  dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    return dialWebSocket(this.#dialOptions, endpoint, context);
  }
}

function checkOptions(
  options: WebSocketTransportOptions,
): WebSocketServerOptions & { tls: typeof options.tls } {
  const { path = "/1tp", server, urls, origins, tls, maxPayload = MAX_MESSAGE } = options;
  checkOptional("options.path", path, "string");
  if (!/^\/[\w.~!$&'()*+,;=:@%/-]*$/.test(path)) {
    throw valueError("options.path", "must be the path of a URL that begins with /", path);
  }
  checkOptional("options.server", server, "object");
  if (server && typeof server.listening !== "boolean") {
    throw typeError("options.server", "a server of node:http or node:https", server);
  }
  checkOptional("options.tls", tls, "object");
  checkProxy(options.proxy, tunnels !== undefined);
  checkTexts("options.urls", urls, (url) => parseWebSocketUrl({ url }) !== undefined, "ws or wss URLs");
  checkTexts("options.origins", origins, isOrigin, "origins such as https://example.org");
  checkOptional("options.maxPayload", maxPayload, "number");
  if (!Number.isInteger(maxPayload) || maxPayload < MIN_MESSAGE || maxPayload > MAX_MESSAGE) {
    throw rangeError("options.maxPayload", `an integer from ${MIN_MESSAGE} to ${MAX_MESSAGE}`, maxPayload);
  }
  const admits = (origin: string | undefined): boolean =>
    origin === undefined || !origins || origins.includes(origin);
  return { path, server, urls, tls, maxPayload, admits };
}

function checkTexts(name: string, texts: unknown, fits: (text: string) => boolean, what: string): void {
  if (texts === undefined) return;
  if (!Array.isArray(texts)) throw typeError(name, `an array of ${what}`, texts);
  const wrong = texts.find((text) => typeof text !== "string" || !fits(text));
  if (wrong !== undefined) throw valueError(name, `must hold ${what}`, wrong);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
