import { inSubnet, ipFamily, ipScope, parseIp, sameIp } from "./ip.ts";
import type { ProxyOption } from "./proxy.ts";

/** Reads a variable of the environment. */
type Environment = (name: string) => string | undefined;

/** Those that name a proxy, first come first; WebSockets are best off with the one for TLS (RFC 6455 §4.1). */
const NAMES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/**
 * The proxy that the environment names for connections to a host; undefined: none. NO_PROXY excepts hosts, and what is near
 * (`localhost`, loopback, link-local and private addresses) is always reached directly.
 */
export function environmentProxy(environment: Environment, host: string, port: number): string | undefined {
  const proxy = NAMES.map(environment).find((value) => value);
  if (!proxy || isNear(host)) return undefined;
  const exceptions = environment("no_proxy") || environment("NO_PROXY") || "";
  const excepted = exceptions.split(/[\s,]+/).some((rule) => rule !== "" && matches(rule, host, port));
  return excepted ? undefined : proxy;
}

/** The proxy that leads to a ws or wss URL: the one given, unless it is false, else the environment's. Undefined: none. */
export function webProxy(
  url: string,
  proxy: ProxyOption | undefined,
  environment: Environment,
): string | undefined {
  if (proxy !== undefined) return proxy || undefined;
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return environmentProxy(environment, host, Number(port) || (/^(?:wss|https):$/.test(protocol) ? 443 : 80));
}

function isNear(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  return ipFamily(host) !== 0 && ["loopback", "link-local", "private"].includes(ipScope(host));
}

/** A rule is `*`, a domain (with or without a dot in front), an address, or a network; the first ones with or without a port. */
function matches(rule: string, host: string, port: number): boolean {
  if (rule === "*") return true;
  const [, name = rule, only] = /^(\[.*\]|[^:]*):(\d+)$/.exec(rule) ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const bare = name.replace(/^\[(.*)\]$/, "$1");
  if (ipFamily(host) !== 0) return bare.includes("/") ? inNetwork(host, bare) : sameIp(bare, host);
  const domain = bare.toLowerCase().replace(/^\*?\./, "");
  return domain !== "" && `.${host.toLowerCase()}`.endsWith(`.${domain}`);
}

function inNetwork(host: string, network: string): boolean {
  const [prefix = "", bits = ""] = network.split("/");
  const [ip, base] = [parseIp(host), parseIp(prefix)];
  if (!ip || !base || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= base.bytes.length * 8 && inSubnet(ip, base, Number(bits));
}
