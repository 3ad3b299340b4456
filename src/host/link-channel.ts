import { nextTurn } from "#platform";
import { OnetpError, systemError } from "../base/errors.ts";
import type { Channel, ChannelOptions, ChannelPath, ChannelSink, ChannelStats } from "../contract/channel.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import { CreditedReceiver, CreditedSender, type MessageOutlet } from "./credit.ts";

/** Carries messages both ways, in order and whole: a WebSocket, a data channel. */
export interface MessageLink extends MessageOutlet {
  /** In good order: what was sent before still arrives. `closed` follows. */
  close(): void;
  /** Now; the peer sees that it was no close in good order. `closed` follows. */
  terminate(): void;
  ref(): void;
  unref(): void;
  /** As `Channel.path`. */
  readonly path?: ChannelPath | undefined;
}

/** What a link channel is made with. */
export interface LinkChannelParts {
  readonly link: MessageLink;
  readonly remote: Endpoint;
  readonly local?: Endpoint;
  /** Bytes that may be under way in one direction; the same on both sides. Default `WINDOW`. */
  readonly window?: number;
}

const END = "end";
const GRANT = /^grant ([1-9]\d{0,7})$/;

/** What a word of the peer grants; undefined for words that grant nothing. */
export function grantIn(word: string): number | undefined {
  const digits = GRANT.exec(word)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * A byte stream over messages. Binary messages are its bytes; text messages steer it: `end` is the half-close that
 * these links do not have, `grant n` gives back credit for what was read, since most of them cannot be paused. Whoever
 * has a link tells the channel what comes by `received`, `drained` and `closed`, from the event loop only.
 */
export class LinkChannel implements Channel {
  readonly firstFlightSent = false;
  readonly remote: Endpoint;
  readonly local?: Endpoint;
  readonly #link: MessageLink;
  readonly #sender: CreditedSender;
  readonly #receiver: CreditedReceiver;
  #sink: ChannelSink | undefined;
  #paused = false;
  #turnDue = false;
  #bytesRead = 0;
  #bytesWritten = 0;

  #drainOwed = false;
  #ended = false;
  #endSent = false;
  #flushed: (() => void) | undefined;

  #peerEnded = false;
  #endTold = false;

  #linkClosed = false;
  /** How it is to be closed: at once, or when the peer's end is told. */
  #over: { readonly error: Error | undefined; readonly atOnce: boolean } | undefined;

  constructor({ link, remote, local, window }: LinkChannelParts) {
    this.#link = link;
    this.remote = remote;
    if (local) this.local = local;
    this.#sender = new CreditedSender(link, window);
    this.#receiver = new CreditedReceiver(window);
  }

  get path(): ChannelPath | undefined {
    return this.#link.path;
  }

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#wake();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over || this.#ended) return false;
    if (this.#linkClosed) {
      this.#finish(systemError("ECONNRESET", "write"));
      return false;
    }
    this.#bytesWritten += chunk.length;
    this.#sender.push(chunk);
    this.#drainOwed = !this.#sender.ready;
    return !this.#drainOwed;
  }

  end(flushed?: () => void): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#drainOwed = false;
    this.#flushed = flushed;
    this.#sendEnd();
    this.#wake();
  }

  abort(error?: Error): void {
    if (this.#over?.atOnce) return;
    this.#receiver.discard();
    this.#sender.discard();
    // Bytes that are lent may become others once the writer hears of the close.
    if (error || this.#link.lent) this.#link.terminate();
    else if (!this.#over && !this.#linkClosed) this.#leave();
    this.#over = { error, atOnce: true };
    this.#wake();
  }

  /** The peer hears that nothing follows. */
  #leave(): void {
    this.#ended = true;
    this.#sendEnd();
    this.#link.close();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  ref(): void {
    this.#link.ref();
  }

  unref(): void {
    this.#link.unref();
  }

  set<K extends keyof ChannelOptions>(_option: K, _value: ChannelOptions[K]): void {}

  stats(): ChannelStats {
    return { bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten };
  }

  /** A message has come. */
  received(message: string | Uint8Array): void {
    if (this.#over) return;
    if (typeof message === "string") this.#steer(message);
    else if (this.#peerEnded) this.#break("bytes after the end");
    else if (message.length > 0 && !this.#receiver.push(message)) this.#break("more bytes than granted");
    this.#turn();
  }

  /** Nothing is lent any more. */
  drained(): void {
    this.#sender.flush();
    this.#turn();
  }

  /** The link is gone. In good order, or without the peer's consent: `error` may say why. */
  closed(inOrder: boolean, error?: Error): void {
    this.#linkClosed = true;
    if (!this.#over) {
      const complete = inOrder && this.#peerEnded && this.#sender.ready;
      // A peer that has left without an error is seen when we write, as over TCP.
      if (!complete) this.#finish(error ?? systemError("ECONNRESET", "read"));
    }
    this.#turn();
  }

  #steer(message: string): void {
    const grant = grantIn(message);
    if (message === END) {
      this.#peerEnded = true;
    } else if (grant === undefined || !this.#sender.grant(grant)) {
      this.#break("a message that means nothing");
    } else {
      this.#sender.flush();
    }
  }

  #break(detail: string): void {
    this.#finish(new OnetpError("ERR_1TP_BAD_FRAME", { detail }));
    this.#link.terminate();
  }

  #finish(error?: Error): void {
    if (this.#over) return;
    this.#over = { error, atOnce: error !== undefined };
    this.#wake();
  }

  #wake(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    nextTurn(() => {
      this.#turnDue = false;
      this.#turn();
    });
  }

  /** Tells the sink what it may hear, and does what follows from what has happened. */
  #turn(): void {
    this.#deliver();
    this.#sendEnd();
    this.#settleWrites();
    if (this.#over && this.#sink && (this.#over.atOnce || this.#endTold)) {
      const sink = this.#sink;
      this.#sink = undefined;
      sink.onClose(this.#over.error);
    }
  }

  /** The sink, while it may hear of data and the end. */
  get #reader(): ChannelSink | undefined {
    return this.#paused || this.#over?.atOnce ? undefined : this.#sink;
  }

  #deliver(): void {
    while (this.#reader) {
      const chunk = this.#receiver.take();
      if (!chunk) break;
      this.#bytesRead += chunk.length;
      this.#reader.onData(chunk);
    }
    this.#grant();
    if (this.#peerEnded && !this.#endTold && this.#receiver.empty && this.#reader) {
      this.#endTold = true;
      this.#reader.onEnd();
    }
  }

  /** A peer that does not read is told later: grants must not pile up. */
  #grant(): void {
    if (this.#linkClosed || this.#peerEnded || this.#link.lent) return;
    const grant = this.#receiver.takeGrant();
    if (grant !== undefined) this.#link.send(`grant ${grant}`);
  }

  #sendEnd(): void {
    if (!this.#ended || this.#endSent || !this.#sender.empty || this.#linkClosed) return;
    this.#endSent = true;
    this.#link.send(END);
  }

  #settleWrites(): void {
    if (this.#over?.atOnce || !this.#sender.ready) return;
    if (this.#drainOwed && this.#sink) {
      this.#drainOwed = false;
      this.#sink.onDrain();
    }
    if (!this.#ended || !(this.#endSent || this.#linkClosed)) return;
    const flushed = this.#flushed;
    this.#flushed = undefined;
    flushed?.();
    if (!this.#peerEnded) return;
    if (!this.#linkClosed && !this.#over) this.#link.close();
    this.#finish();
  }
}
