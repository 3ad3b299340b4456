import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { OnetpError } from "../base/errors.ts";
import { type ProxyServer, parseProxy } from "../base/proxy.ts";
import { speakConnect } from "./node-connect.ts";
import { proxyError, type TunnelTarget } from "./node-proxy-talk.ts";
import { speakSocks } from "./node-socks.ts";

/** What both protocols can say; SOCKS5 has a byte for its length (RFC 1928 §4). */
const HOST = /^[!-~]{1,255}$/;

/**
 * A connection to `target` through a proxy, half-open allowed. Rejects with ERR_1TP_BAD_ADDRESS, with ERR_1TP_PROXY_FAILED, with
 * what the proxy found out about the target where `net` has a code for it, or with the reason of `signal`, which alone limits its
 * time; then nothing is left.
 */
export async function openTunnel(proxy: string, target: TunnelTarget, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const server = parseProxy(proxy);
  if (!server) {
    const detail = "its URL does not begin with http, https, socks5 or socks5h";
    throw new OnetpError("ERR_1TP_PROXY_FAILED", { detail });
  }
  if (!HOST.test(target.host))
    throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: "no proxy takes that name" });
  const socket = dial(server);
  const speak = server.scheme === "socks5" ? speakSocks : speakConnect;
  const talk = speak(server, target, (bytes) => void socket.write(bytes));
  return new Promise((resolve, reject) => {
    /** Bytes; 0 until the proxy is connected. */
    let wanted = 0;
    const settle = (): void => {
      wanted = 0;
      signal.removeEventListener("abort", onAbort);
      for (const [event, listener] of listeners) socket.off(event, listener);
    };
    const fail = (error: unknown): void => {
      settle();
      // What it still has to say is of no interest.
      socket.on("error", () => undefined).destroy();
      reject(error);
    };
    const go = (answer?: Uint8Array): void => {
      const step = answer ? talk.next(answer) : talk.next();
      if (!step.done) {
        wanted = step.value;
      } else if (step.value) {
        fail(step.value);
      } else {
        settle();
        resolve(socket);
      }
    };
    const onReached = (): void => go();
    const onAbort = (): void => fail(signal.reason);
    const onLost = (cause?: unknown): void => {
      const what = wanted > 0 ? "closed the connection" : "cannot be reached";
      fail(proxyError(server, what, cause instanceof Error ? { cause } : {}));
    };
    // As many bytes as the proxy has for us: what follows stays in the socket.
    const onReadable = (): void => {
      while (wanted > 0) {
        const answer: Uint8Array | null = socket.read(wanted);
        if (!answer) return;
        // At the end of the stream there may be fewer.
        if (answer.length < wanted) onLost();
        else go(answer);
      }
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
  if (scheme !== "https") return connect(options);
  return connectTls(isIP(host) === 0 ? { ...options, servername: host } : options);
}
