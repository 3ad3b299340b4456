import type { WebRtc } from "../../src/contract/web-rtc.ts";
import type { WebRtcConfig } from "./ice-servers.ts";

/** What simple-peer says to be passed to its other end, and takes from there. */
export interface PeerSignal {
  readonly type: string;
  readonly sdp?: string;
  readonly candidate?: {
    readonly candidate: string;
    readonly sdpMid: string | null;
    readonly sdpMLineIndex: number | null;
  };
}

/** The part of simple-peer that is used. Its stream is not: `send` and `data` know messages, and when they are text. */
export interface Peer {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  /** Bytes that wait to be sent. */
  readonly bufferSize: number;
  /** Runs for 5 s even where the peer is destroyed before. */
  readonly _iceCompleteTimer?: Parameters<typeof clearTimeout>[0];
  on(event: "signal", listener: (signal: PeerSignal) => void): this;
  on(event: "data", listener: (message: string | Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "connect" | "close", listener: () => void): this;
  signal(signal: PeerSignal): void;
  send(message: string | Uint8Array): void;
  getStats(callback: (error: Error | null, items: readonly object[]) => void): void;
  destroy(): void;
}

/** Options of simple-peer for data channels. */
export interface PeerOptions {
  /** Label of the data channel; default random. */
  readonly channelName?: string;
  /** As `createDataChannel` takes it. A stream needs an ordered, reliable channel. */
  readonly channelConfig?: {
    readonly negotiated?: boolean;
    readonly id?: number;
    readonly protocol?: string;
  };
  readonly offerOptions?: object;
  readonly answerOptions?: object;
  readonly sdpTransform?: (sdp: string) => string;
  /** False: one signal with all candidates, which takes longer. Default true. */
  readonly trickle?: boolean;
  readonly allowHalfTrickle?: boolean;
  /** Ms to wait for candidates without trickle; default 5000. */
  readonly iceCompleteTimeout?: number;
}

/** Makes peers that share an implementation. */
export type PeerFactory = (initiator: boolean, config: WebRtcConfig) => Peer;

/** Loads simple-peer, which takes a while. */
export async function loadPeers(wrtc: WebRtc, options: PeerOptions): Promise<PeerFactory> {
  const { default: SimplePeer } = await import("simple-peer");
  const Constructor = SimplePeer as unknown as new (options: object) => Peer;
  return (initiator, config) => {
    const peer = new Constructor({ ...options, initiator, config, wrtc, objectMode: true });
    return peer.on("close", () => clearTimeout(peer._iceCompleteTimer));
  };
}
