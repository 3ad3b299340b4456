import { OnetpError } from "../base/errors.ts";
import { formatProxy, type ProxyServer } from "../base/proxy.ts";

/** Where a tunnel is to lead. */
export interface TunnelTarget {
  /** A name, which the proxy looks up, or an IP literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * What is said to a proxy that is connected until it has let us through: yields how many bytes have to come next, and is given them.
 * Returns why there is no tunnel; undefined: what follows is the target's.
 */
export type ProxyTalk = Generator<number, Error | undefined, Uint8Array>;

/** Begins such a talk. */
export type SpeakToProxy = (
  server: ProxyServer,
  target: TunnelTarget,
  send: (bytes: Uint8Array | string) => void,
) => ProxyTalk;

/** Says what a proxy did, without its credentials. */
export function proxyError(
  server: ProxyServer,
  what: string,
  { status, cause }: { readonly status?: number; readonly cause?: Error } = {},
): OnetpError {
  const detail = `${formatProxy(server)} ${what}${cause ? `: ${cause.message}` : ""}`;
  return new OnetpError("ERR_1TP_PROXY_FAILED", { detail, status, cause, phase: "connect" });
}
