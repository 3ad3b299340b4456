import { typeError } from "./argument.ts";
import { nodeError, OnetpError } from "./errors.ts";
import { ipFamily } from "./ip.ts";

/** A proxy, as its URL says. */
export interface ProxyServer {
  /** `socks5h` means the same as `socks5` here: names are looked up by the proxy. */
  readonly scheme: "http" | "https" | "socks5";
  /** A name or an IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty: none. */
  readonly username: string;
  readonly password: string;
}

/** What a transport or signaling takes as its option `proxy`. */
export type ProxyOption = string | false;

const PORTS = { http: 80, https: 443, socks5: 1080 } as const;

/** Bytes of a name and of a password at most (RFC 1929 §2). */
const MAX_CREDENTIAL = 255;

/** Reads `http:`, `https:`, `socks5:` and `socks5h:` URLs; without a scheme it is `http:`. Undefined for what is none. */
export function parseProxy(text: string): ProxyServer | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(url);
  const scheme = protocol.replace(/^(socks5)h/, "$1").slice(0, -1);
  if (scheme !== "http" && scheme !== "https" && scheme !== "socks5") return undefined;
  if (hostname === "" || !/^\/?$/.test(pathname) || search || hash || port === "0") return undefined;
  const credentials = [username, password].map(decode);
  if (!credentials.every(fits)) return undefined;
  return {
    scheme,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? PORTS[scheme] : Number(port),
    username: credentials[0]!,
    password: credentials[1]!,
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function fits(credential: string | undefined): boolean {
  return credential !== undefined && new TextEncoder().encode(credential).length <= MAX_CREDENTIAL;
}

/** How people read a proxy: without its credentials. */
export function formatProxy({ scheme, host, port }: ProxyServer): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Checks the option `proxy`. What is wrong is not repeated in the error, since it may hold a password.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; ERR_1TP_UNSUPPORTED unless `supported`
 */
export function checkProxy(proxy: unknown, supported: boolean): asserts proxy is ProxyOption | undefined {
  if (proxy === undefined) return;
  if (!supported)
    throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "proxies are the browser's own affair" });
  if (proxy === false) return;
  if (typeof proxy !== "string") throw typeError("options.proxy", "of type string or false", proxy);
  if (parseProxy(proxy)) return;
  const wanted = "must be a URL that begins with http, https, socks5 or socks5h";
  throw nodeError("ERR_INVALID_ARG_VALUE", `The property 'options.proxy' ${wanted}`, TypeError);
}

/** Labels of letters, digits, - and _; the last one begins with a letter, so that nobody takes the name for an address. */
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Whether a text is a host name that a proxy may look up (RFC 1123 §2.1), and no IP literal. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && HOST_NAME.test(text) && ipFamily(text) === 0;
}
