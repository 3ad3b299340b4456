import type { WebRtc, WebRtcClass } from "../../src/contract/web-rtc.ts";

/** A description as the standard's `createOffer` gives it: a dictionary. */
interface Description {
  readonly type: string;
  readonly sdp: string;
}

interface Describing {
  createOffer(options?: object): Promise<Description>;
  createAnswer(options?: object): Promise<Description>;
}

/** An implementation whose descriptions can be written to, as simple-peer does; some give instances of a class. */
export function withPlainDescriptions(wrtc: WebRtc): WebRtc {
  const Base = wrtc.RTCPeerConnection as new (...parts: unknown[]) => Describing;
  class RTCPeerConnection extends Base {
    override async createOffer(options?: object): Promise<Description> {
      const { type, sdp } = await super.createOffer(options);
      return { type, sdp };
    }

    override async createAnswer(options?: object): Promise<Description> {
      const { type, sdp } = await super.createAnswer(options);
      return { type, sdp };
    }
  }
  const { RTCSessionDescription, RTCIceCandidate } = wrtc;
  return {
    RTCPeerConnection: RTCPeerConnection as WebRtcClass,
    RTCSessionDescription,
    RTCIceCandidate,
  };
}
