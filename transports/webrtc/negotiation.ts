import { OnetpError, toError } from "../../src/base/errors.ts";
import { ipFamily } from "../../src/base/ip.ts";
import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Clock, Timer } from "../../src/contract/clock.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import type { Endpoint, Json } from "../../src/contract/endpoint.ts";
import type { Phase } from "../../src/contract/transport.ts";
import { LinkChannel } from "../../src/host/link-channel.ts";
import { chosenPath } from "./candidate-pair.ts";
import type { Peer, PeerSignal } from "./peer.ts";
import { LINGER, PeerLink } from "./peer-link.ts";
import { maxMessageIn, readSignal, type Signal, typesIn, withCandidates } from "./signal.ts";

/** Candidates taken from one peer (chosen: a host with many interfaces has a few dozen). */
const MAX_CANDIDATES = 128;

/** What a negotiation needs. */
export interface NegotiationParts {
  readonly peer: Peer;
  readonly dialog: Dialog;
  readonly initiator: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The entry that was dialled; absent where the dialog was accepted. */
  readonly remote?: Endpoint;
  onPhase?(phase: Phase): void;
  /** As in DialContext. */
  readonly mayDial?: ((host: string) => boolean) | undefined;
}

/**
 * Connects a peer by the signals of a dialog, which is over then. Rejects with ERR_1TP_WEBRTC_FAILED, which says what was
 * tried, or with the reason of the signal; both ends then know, and nothing is left.
 */
export function negotiate(parts: NegotiationParts): Promise<LinkChannel> {
  return new Promise((resolve, reject) => {
    new Negotiation(parts, resolve, reject);
  });
}

class Negotiation {
  readonly #parts: NegotiationParts;
  readonly #resolve: (channel: LinkChannel) => void;
  readonly #reject: (error: unknown) => void;
  readonly #ourTypes = new Set<string>();
  readonly #theirTypes = new Set<string>();
  #candidates = 0;
  #described = false;
  #maxMessage = maxMessageIn("");
  #settled = false;
  #dismissal: Timer | undefined;

  constructor(
    parts: NegotiationParts,
    resolve: (channel: LinkChannel) => void,
    reject: (error: unknown) => void,
  ) {
    this.#parts = parts;
    this.#resolve = resolve;
    this.#reject = reject;
    const { peer, dialog, signal } = parts;
    signal.addEventListener("abort", this.#onAbort);
    peer.on("signal", (body) => this.#send(body));
    peer.on("connect", () => this.#connected());
    peer.on("error", (error) => this.#fail(this.#reasonOf(error), error));
    peer.on("close", () => {
      this.#fail("the connection closed");
      this.#dismissal?.cancel();
    });
    dialog.attach({
      onSignal: (body) => this.#receive(body),
      onClose: (error) => {
        if (!this.#described) this.#fail("the dialog ended before the peer had answered", error);
      },
    });
    parts.onPhase?.("gather");
    if (signal.aborted) this.#onAbort();
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#parts.signal;
    this.#end(toError(reason).message);
    this.#reject(reason);
  };

  /** Answers to what simple-peer might want besides are not part of a data channel's negotiation. */
  #send({ type, sdp, candidate }: PeerSignal): void {
    if (this.#settled || (sdp === undefined && !candidate?.candidate)) return;
    for (const word of typesIn(sdp ?? candidate!.candidate)) this.#ourTypes.add(word);
    const body = sdp === undefined ? { type, candidate: { ...candidate! } } : { type, sdp };
    this.#parts.dialog.send(body).catch((error) => this.#fail("a signal could not be sent", error));
  }

  #receive(body: Json): void {
    if (this.#settled) return;
    const signal = readSignal(body);
    const { initiator } = this.#parts;
    if (signal?.type === "failed") {
      this.#fail(`the peer says: ${signal.reason}`);
      this.#parts.peer.destroy();
    }
    if (!signal || signal.type === "failed") return;
    if (signal.type !== "candidate") {
      if (this.#described || (signal.type === "answer") !== initiator) return;
      this.#described = true;
      this.#maxMessage = maxMessageIn(signal.sdp);
      this.#parts.onPhase?.("connect");
    }
    const wanted = withCandidates(signal, this.#wants);
    if (wanted) this.#hand(wanted);
  }

  readonly #wants = (host: string | undefined): boolean => {
    if (++this.#candidates > MAX_CANDIDATES) return false;
    const { mayDial } = this.#parts;
    return !mayDial || (host !== undefined && mayDial(host));
  };

  /** Implementations throw at what they cannot read. */
  #hand(signal: Exclude<Signal, { type: "failed" }>): void {
    const text = signal.type === "candidate" ? signal.candidate.candidate : signal.sdp;
    for (const word of typesIn(text)) this.#theirTypes.add(word);
    try {
      this.#parts.peer.signal(signal);
    } catch (error) {
      if (signal.type !== "candidate") this.#fail("the peer's description cannot be read", error);
    }
  }

  #connected(): void {
    const { peer, initiator, clock, remote } = this.#parts;
    if (this.#settled && !initiator) return;
    const link = new PeerLink(peer, this.#maxMessage, clock);
    const channel = new LinkChannel({ link, remote: remote ?? remoteOf(peer) });
    if (initiator) {
      link.feed(channel, () => this.#succeed(link, channel));
    } else {
      link.feed(channel);
      link.greet();
      this.#succeed(link, channel);
    }
  }

  #succeed(link: PeerLink, channel: LinkChannel): void {
    if (this.#settled) {
      link.terminate();
      return;
    }
    this.#settled = true;
    const { peer, dialog, signal } = this.#parts;
    signal.removeEventListener("abort", this.#onAbort);
    dialog.close();
    chosenPath(peer).then((path) => {
      link.path = path;
      if (!signal.aborted) return this.#resolve(channel);
      channel.abort();
      this.#reject(signal.reason);
    });
  }

  #reasonOf(error: Error): string {
    if (!/ICE|Connection failed/i.test(error.message)) return error.message;
    if (!this.#described) return "the peer has not answered";
    const list = (types: ReadonlySet<string>): string => [...types].join(", ") || "none";
    return `no pair of candidates works (ours: ${list(this.#ourTypes)}; theirs: ${list(this.#theirTypes)})`;
  }

  #fail(detail: string, cause?: unknown): void {
    if (this.#settled) return;
    this.#end(detail);
    const phase = this.#described ? "connect" : "gather";
    this.#reject(new OnetpError("ERR_1TP_WEBRTC_FAILED", { detail, phase, transport: "webrtc", cause }));
  }

  #end(reason: string): void {
    this.#settled = true;
    const { dialog, signal } = this.#parts;
    signal.removeEventListener("abort", this.#onAbort);
    dialog.send({ type: "failed", reason: reason.slice(0, 200) }).catch(() => undefined);
    dialog.close();
    this.#dismiss();
  }

  /**
   * An end that accepts may be connected, and sending, once it has been answered: then its greeting comes, and it is told to
   * take the connection down, as `PeerLink` does. An end that dials sends nothing before the greeting.
   */
  #dismiss(): void {
    const { peer, initiator, clock } = this.#parts;
    if (initiator && this.#described) {
      this.#dismissal = clock.setTimer(clock.now() + LINGER, () => peer.destroy());
    } else {
      peer.destroy();
    }
  }
}

/** Where the connection comes from, as far as ICE tells. */
function remoteOf({ remoteAddress = "", remotePort = 0 }: Peer): Endpoint {
  const known = ipFamily(remoteAddress) !== 0 && remotePort > 0;
  return known
    ? socketEndpoint("webrtc", remoteAddress, remotePort)
    : { transportType: "webrtc", transportInfo: {} };
}
