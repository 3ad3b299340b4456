import { environment, hasWebRtc } from "#platform";
import { WebSocketSignaling } from "../../signaling/websocket/index.ts";
import { RelayTransport } from "../../transports/relay/index.ts";
import { WebRtcTransport } from "../../transports/webrtc/index.ts";
import type { Signaling } from "../contract/dialog.ts";
import type { Transport } from "../contract/transport.ts";

const signalings = new Map<string, Signaling>();

/** The transports that meet through the registrar `ONETP_REGISTRAR` names, as far as the runtime has them; none without it. */
export function signaledTransports(): readonly Transport[] {
  const url = environment("ONETP_REGISTRAR");
  if (!url) return [];
  const signaling = signalings.get(url) ?? new WebSocketSignaling({ url });
  signalings.set(url, signaling);
  const relay = new RelayTransport({ signaling });
  return hasWebRtc() ? [new WebRtcTransport({ signaling }), relay] : [relay];
}
