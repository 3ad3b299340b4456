import { environment, tunnels, type WebClientTls, webSockets } from "#platform";
import { webProxy } from "../../src/base/environment-proxy.ts";
import { codeOf, OnetpError } from "../../src/base/errors.ts";
import { ipFamily } from "../../src/base/ip.ts";
import type { ProxyOption } from "../../src/base/proxy.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import type { WebSocketClose, WebSocketLink } from "../../src/contract/web-socket.ts";
import { LinkChannel } from "../../src/host/link-channel.ts";
import { WebSocketMessages } from "./messages.ts";
import { parseWebSocketUrl } from "./url.ts";

/** How a dial is made. */
export interface WebSocketDialOptions {
  /** Bytes of the longest message that is sent. */
  readonly maxPayload: number;
  readonly tls: WebClientTls | undefined;
  readonly proxy: ProxyOption | undefined;
}

/** Opens the URL of an entry. Rejects with a code or the signal's reason, and then leaves nothing behind. */
export async function dialWebSocket(
  { maxPayload, tls, proxy }: WebSocketDialOptions,
  endpoint: Endpoint,
  context: DialContext,
): Promise<LinkChannel> {
  const { signal, onPhase } = context;
  const url = parseWebSocketUrl(endpoint.transportInfo);
  if (!url) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: "websocket" });
  signal.throwIfAborted();
  onPhase("connect");
  await checkName(url, context, proxy);
  const { openWebSocket } = await webSockets();
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    let channel: LinkChannel | undefined;
    const onAbort = (): void => {
      link.terminate();
      reject(signal.reason);
    };
    const settle = (): void => signal.removeEventListener("abort", onAbort);
    const sink = {
      onOpen(): void {
        settle();
        if (signal.aborted) return;
        channel = new LinkChannel({ link: new WebSocketMessages(link, maxPayload), remote: endpoint });
        resolve(channel);
      },
      onMessage: (message: string | Uint8Array): void => channel?.received(message),
      onDrain: (): void => channel?.drained(),
      onClose(close: WebSocketClose): void {
        settle();
        if (channel) closeChannel(channel, close);
        else reject(refusal(close));
      },
    };
    const link: WebSocketLink = openWebSocket(url.href, sink, tls, proxy);
    signal.addEventListener("abort", onAbort);
  });
}

/** Rejects if the user forbids where a name leads. What a proxy looks up nobody here sees. */
async function checkName(
  url: URL,
  { mayDial, runtime }: DialContext,
  proxy: ProxyOption | undefined,
): Promise<void> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (!mayDial || !runtime.lookup || ipFamily(host) !== 0) return;
  if (tunnels && webProxy(url.href, proxy, environment) !== undefined) return;
  const addresses = await runtime.lookup(host);
  if (addresses.every((address) => mayDial(address))) return;
  const detail = `the dial policy forbids ${host}`;
  throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail, phase: "connect", transport: "websocket" });
}

/** Tells a channel that its WebSocket is gone. */
export function closeChannel(channel: LinkChannel, { status, error }: WebSocketClose): void {
  const coded = error !== undefined && codeOf(error) !== undefined;
  channel.closed(status === 1000, coded ? error : undefined);
}

function refusal({ status, reason, error }: WebSocketClose): Error {
  if (error && codeOf(error) !== undefined) return error;
  const detail = error?.message || reason || `status ${status}`;
  const details = { detail, status, phase: "connect", transport: "websocket", cause: error } as const;
  return new OnetpError("ERR_1TP_WEBSOCKET_REFUSED", details);
}
