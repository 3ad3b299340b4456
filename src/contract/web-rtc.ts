/** A WebRTC implementation: what the W3C's WebRTC calls its classes. */
export interface WebRtc {
  readonly RTCPeerConnection: WebRtcClass;
  readonly RTCSessionDescription: WebRtcClass;
  readonly RTCIceCandidate: WebRtcClass;
}

/** One of its classes; only simple-peer looks inside. */
// biome-ignore lint/suspicious/noExplicitAny: implementations do not agree on their types
export type WebRtcClass = new (...parts: any[]) => object;
