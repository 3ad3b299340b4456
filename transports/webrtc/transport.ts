import { loadWebRtc } from "#platform";
import { checkMillis, checkOptional, typeError, valueError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import { checkSignaling, isSignaledBy } from "../../src/base/signaled.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Signaling, SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import type { WebRtc } from "../../src/contract/web-rtc.ts";
import { completeConfig, type WebRtcConfig } from "./ice-servers.ts";
import { withPlainDescriptions } from "./implementation.ts";
import { listenWebRtc } from "./listener.ts";
import { negotiate } from "./negotiation.ts";
import { loadPeers, type PeerFactory, type PeerOptions } from "./peer.ts";

/**
 * Options of the webrtc transport: those of simple-peer for data channels, and these. `cost` is 50 and `connectTimeout`
 * 15000 unless given.
 */
export interface WebRtcTransportOptions extends PlanningOptions, PeerOptions {
  /** Where the two ends meet. */
  readonly signaling: Signaling;
  /** For RTCPeerConnection. Without `iceServers` those that the signaling offers are used. */
  readonly config?: WebRtcConfig;
  /** A WebRTC implementation; default the browser's, in Node the optional package `wrtc`. */
  readonly wrtc?: WebRtc;
}

/** WebRTC data channels (RFC 8831), through simple-peer: the one transport between pages. */
export class WebRtcTransport implements Transport {
  readonly type = "webrtc";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #signaling: Signaling;
  readonly #config: WebRtcConfig | undefined;
  readonly #wrtc: WebRtc | undefined;
  readonly #peerOptions: PeerOptions;
  #peers: Promise<PeerFactory> | undefined;

  /** Throws on wrong options. */
  constructor(options: WebRtcTransportOptions) {
    checkOptions(options);
    const { cost, connectTimeout } = planning(options, { cost: 50, connectTimeout: 15_000 });
    const { signaling, config, wrtc, cost: _, connectTimeout: __, ...peerOptions } = options;
    this.traits = { cost, relayed: false, signaled: true, datagrams: true };
    this.connectTimeout = connectTimeout;
    this.#signaling = signaling;
    this.#config = config;
    this.#wrtc = wrtc;
    this.#peerOptions = peerOptions;
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && isSignaledBy(this.#signaling, endpoint);
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    const { signal, runtime, mayDial } = context;
    if (!this.accepts(endpoint)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    signal.throwIfAborted();
    if (!context.openDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no dialogs here" });
    context.onPhase("signal");
    const openPeer = await this.#loadPeers();
    signal.throwIfAborted();
    const address = endpoint.transportInfo as SignalingAddress;
    const [dialog, config] = await Promise.all([
      context.openDialog(this.#signaling, address, this.type),
      completeConfig(this.#config, this.#signaling, signal),
    ]);
    if (signal.aborted) {
      dialog.close();
      throw signal.reason;
    }
    const onPhase = context.onPhase.bind(context);
    const peer = openPeer(true, config);
    const { clock } = runtime;
    return negotiate({ peer, dialog, initiator: true, clock, signal, remote: endpoint, onPhase, mayDial });
  }

  async listen(context: ListenContext): Promise<Listener> {
    const openPeer = await this.#loadPeers();
    return listenWebRtc(context, {
      signaling: this.#signaling,
      patience: this.connectTimeout,
      openPeer: async (signal) =>
        openPeer(false, await completeConfig(this.#config, this.#signaling, signal)),
    });
  }

  /** Once it is there it stays; what is missing now may be there later. */
  #loadPeers(): Promise<PeerFactory> {
    this.#peers ??= this.#load().catch((error) => {
      this.#peers = undefined;
      throw error;
    });
    return this.#peers;
  }

  async #load(): Promise<PeerFactory> {
    const wrtc = this.#wrtc ? withPlainDescriptions(this.#wrtc) : await loadWebRtc().catch(missing);
    return loadPeers(wrtc, this.#peerOptions);
  }
}

function missing(cause: unknown): never {
  throw new OnetpError("ERR_1TP_WEBRTC_MISSING", { transport: "webrtc", cause });
}

function checkOptions(options: WebRtcTransportOptions): void {
  const { signaling, config, wrtc } = options ?? {};
  checkSignaling(signaling);
  checkOptional("options.config", config, "object");
  const servers = config?.iceServers;
  if (servers !== undefined && !(Array.isArray(servers) && servers.every(isIceServer))) {
    throw typeError("options.config.iceServers", "an array of { urls, username, credential }", servers);
  }
  if (wrtc !== undefined && typeof wrtc?.RTCPeerConnection !== "function") {
    throw typeError("options.wrtc", "an implementation of WebRTC", wrtc);
  }
  checkPeerOptions(options);
}

function isIceServer(server: unknown): boolean {
  if (typeof server !== "object" || server === null) return false;
  const { url, urls = url } = server as { url?: unknown; urls?: unknown };
  return typeof urls === "string" || (Array.isArray(urls) && urls.every((one) => typeof one === "string"));
}

function checkPeerOptions(options: PeerOptions): void {
  checkOptional("options.channelName", options.channelName, "string");
  checkOptional("options.channelConfig", options.channelConfig, "object");
  checkOptional("options.offerOptions", options.offerOptions, "object");
  checkOptional("options.answerOptions", options.answerOptions, "object");
  checkOptional("options.sdpTransform", options.sdpTransform, "function");
  checkOptional("options.trickle", options.trickle, "boolean");
  checkOptional("options.allowHalfTrickle", options.allowHalfTrickle, "boolean");
  if (options.iceCompleteTimeout !== undefined)
    checkMillis("options.iceCompleteTimeout", options.iceCompleteTimeout);
  const lossy = {
    ordered: true,
    maxRetransmits: undefined,
    maxPacketLifeTime: undefined,
    ...options.channelConfig,
  };
  if (lossy.ordered === false || (lossy.maxRetransmits ?? lossy.maxPacketLifeTime) !== undefined) {
    throw valueError("options.channelConfig", "must be ordered and reliable: it carries a stream", lossy);
  }
}
