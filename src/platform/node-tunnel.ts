import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { OnetpError } from "../base/errors.ts";
import { formatProxy, type ProxyServer, parseProxy } from "../base/proxy.ts";
import { speakConnect } from "./node-connect.ts";

/** Where a tunnel is to lead. */
export interface TunnelTarget {
  /** A name, which the proxy looks up, or an IP literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A talk with a proxy that is connected. */
export interface ProxyTalk {
  readonly server: ProxyServer;
  readonly target: TunnelTarget;
  send(bytes: Uint8Array | string): void;
  /** The bytes that follow are the target's. */
  opened(): void;
  failed(error: Error): void;
}

/**
 * A connection to `target` through a proxy, half-open allowed. Rejects with ERR_1TP_PROXY_FAILED, with what the proxy found out about the
 * target where `net` has a code for it, or with the reason of `signal`; then nothing is left. Nobody but `signal` sets a limit to its time.
 */
export async function openTunnel(proxy: string, target: TunnelTarget, signal: AbortSignal): Promise<Socket> {
  const server = parseProxy(proxy);
  if (!server) {
    const detail = "its URL does not begin with http, https, socks5 or socks5h";
    throw new OnetpError("ERR_1TP_PROXY_FAILED", { detail });
  }
  const speak = server.scheme === "socks5" ? (await import("./node-socks.ts")).speakSocks : speakConnect;
  signal.throwIfAborted();
  const socket = dial(server);
  return new Promise((resolve, reject) => {
    let reached = false;
    let take: ((byte: Uint8Array) => void) | undefined;
    const settle = (): void => {
      take = undefined;
      signal.removeEventListener("abort", onAbort);
      for (const [event, listener] of listeners) socket.off(event, listener);
    };
    const failed = (error: unknown): void => {
      settle();
      // What it still has to say is of no interest.
      socket.on("error", () => undefined).destroy();
      reject(error);
    };
    const onAbort = (): void => failed(signal.reason);
    const onLost = (cause?: unknown): void => failed(lostError(server, reached, cause));
    const onReached = (): void => {
      reached = true;
      take = speak({
        server,
        target,
        send: (bytes) => void socket.write(bytes),
        opened() {
          settle();
          resolve(socket);
        },
        failed,
      });
    };
    // One byte at a time: what follows the proxy's answer stays in the socket.
    const onReadable = (): void => {
      for (let byte = take && socket.read(1); byte; byte = take && socket.read(1)) take!(byte);
    };
    const listeners = [
      [server.scheme === "https" ? "secureConnect" : "connect", onReached],
      ["readable", onReadable],
      ["end", onLost],
      ["error", onLost],
      ["close", onLost],
    ] as const;
    for (const [event, listener] of listeners) socket.on(event, listener);
    signal.addEventListener("abort", onAbort);
  });
}

function dial({ scheme, host, port }: ProxyServer): Socket {
  const options = { host, port, allowHalfOpen: true, noDelay: true };
  return scheme === "https"
    ? connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }) })
    : connect(options);
}

function lostError(server: ProxyServer, reached: boolean, cause: unknown): OnetpError {
  const what = reached ? "closed the connection" : "cannot be reached";
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  const details = { detail: `${formatProxy(server)} ${what}${why}`, phase: "connect" } as const;
  return new OnetpError("ERR_1TP_PROXY_FAILED", cause instanceof Error ? { ...details, cause } : details);
}
