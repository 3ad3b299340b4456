import { environment, hasWebRtc } from "#platform";
import { WebSocketSignaling } from "../../signaling/websocket/index.ts";
import { RelayTransport } from "../../transports/relay/index.ts";
import { WebRtcTransport } from "../../transports/webrtc/index.ts";
import type { Signaling } from "../contract/dialog.ts";
import type { Transport } from "../contract/transport.ts";
import { ofVariables } from "./environment.ts";

const signalings = new Map<string, Signaling>();

/** The signaling at the registrar that `ONETP_REGISTRAR` names, one for everybody here; undefined without it. */
export function registrarSignaling(): Signaling | undefined {
  const url = environment("ONETP_REGISTRAR");
  if (!url) return undefined;
  const open = (): Signaling => new WebSocketSignaling({ url });
  const signaling = signalings.get(url) ?? ofVariables("ONETP_REGISTRAR", open);
  signalings.set(url, signaling);
  return signaling;
}

/** The transports that need signaling and nothing else: webrtc where the runtime has it, and relay. */
export function signaledTransports(signaling: Signaling): readonly Transport[] {
  const relay = new RelayTransport({ signaling });
  return hasWebRtc() ? [new WebRtcTransport({ signaling }), relay] : [relay];
}
