import type { Signaling } from "../../src/contract/dialog.ts";
import { parseStunUri } from "../../src/stun/uri.ts";

/** A STUN or TURN server as RTCPeerConnection takes it; `url` is the older word for `urls`. */
export interface IceServer {
  readonly urls?: string | readonly string[];
  readonly url?: string;
  readonly username?: string;
  readonly credential?: string;
}

/** The configuration of RTCPeerConnection; further fields pass through. */
export interface WebRtcConfig {
  readonly iceServers?: readonly IceServer[];
  readonly iceTransportPolicy?: "all" | "relay";
  readonly [field: string]: unknown;
}

/** The configuration with the servers it names; where it names none, those the signaling offers. */
export async function completeConfig(
  config: WebRtcConfig | undefined,
  signaling: Signaling,
  signal?: AbortSignal,
): Promise<WebRtcConfig> {
  const iceServers = config?.iceServers?.map(modern) ?? (await offered(signaling, signal));
  return { ...config, iceServers };
}

function modern({ url, ...server }: IceServer): IceServer {
  return url === undefined || server.urls !== undefined ? server : { ...server, urls: url };
}

/** A signaling that cannot say has none: addresses of the own hosts may do. */
async function offered(signaling: Signaling, signal?: AbortSignal): Promise<IceServer[]> {
  const services = await signaling.services?.(signal).catch(() => undefined);
  if (!services) return [];
  const turn = services.turn.map(({ uris, username, password }) => ({
    urls: uris.filter(isUri),
    username,
    credential: password,
  }));
  return [{ urls: services.stun.filter(isUri) }, ...turn].filter(({ urls }) => urls.length > 0);
}

/** Browsers throw at what is none. */
function isUri(text: string): boolean {
  return parseStunUri(text) !== undefined;
}
