import { systemError } from "../base/errors.ts";
import { ipFamily } from "../base/ip.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Acceptance, ConnectionOwner, ConnectionParts, Farewell } from "./connection-parts.ts";
import { Counters } from "./counters.ts";
import type { Dial } from "./dial.ts";
import { Intake } from "./intake.ts";
import { Liveness } from "./liveness.ts";
import { News } from "./news.ts";
import type { ConnectionSink, ReceivedPacket, UtpStats } from "./options.ts";
import { HEADER_SIZE, type Packet, RESET } from "./packet.ts";
import { PacketWriter } from "./packet-writer.ts";
import { PathMtu } from "./path-mtu.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { type ConnectionSettings, checkMeta } from "./settings.ts";
import { Transmitter } from "./transmitter.ts";
import { Validation } from "./validation.ts";

/** Codes of the system that say a dial cannot succeed; what is established rides them out. */
const HOPELESS = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EPERM", "EACCES", "EADDRNOTAVAIL"]);
/** After so long without a packet, memory for many in flight is given back (chosen). */
const IDLE: Millis = 5000;

/** `connecting` until the peer answers; `connected` until both sides have ended; `closed` afterwards. */
export type ConnectionState = "connecting" | "connected" | "closed";

/**
 * One uTP connection (BEP 29): an ordered reliable byte stream, each direction of which ends by itself.
 * Its methods never throw once it is closed; they do nothing. Everything it sends leaves through the
 * endpoint's `pollTransmit`, everything it tells comes from the endpoint's `pollEvent`.
 */
export class UtpConnection {
  /** Changed by the endpoint alone, which finds connections by it. */
  remote: SocketAddress;
  /** We sent the SYN. */
  readonly initiated: boolean;
  /** The ids in packets to us and from us. */
  readonly receiveId: number;
  readonly sendId: number;
  /** Free for the host: it delivers this connection's events here. */
  sink: ConnectionSink | undefined;
  /** For the endpoint: whether it is in the queue of those that may transmit, and its place among the timers. */
  queued = false;
  armedFor: Instant = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #validation: Validation;
  readonly #liveness: Liveness;
  readonly #news: News;
  readonly #transmitter: Transmitter;
  readonly #intake: Intake;
  readonly #dial: Dial | undefined;
  #state: ConnectionState;
  /** The user has closed both sides; nobody hears events any more. */
  #abandoned = false;
  /** The endpoint has forgotten us. */
  #released = false;
  readonly #counters = new Counters();

  constructor(parts: ConnectionParts, dial: Dial | undefined, acceptance: Acceptance | undefined) {
    const { identity, settings, controller, now } = parts;
    const { seq } = identity;
    this.remote = identity.remote;
    this.receiveId = identity.receiveId;
    this.sendId = identity.sendId;
    this.initiated = dial !== undefined;
    this.#owner = parts.owner;
    this.#settings = settings;
    this.#dial = dial;
    this.#state = dial ? "connecting" : "connected";
    this.#sender = new Sender({ ...settings, first: dial ? seq + 1 : seq, controller });
    this.#receiver = new Receiver(parts.receiveWindow);
    this.#validation = new Validation(this.initiated, acceptance?.extended ?? false, seq);
    const halves = { sender: this.#sender, receiver: this.#receiver, validation: this.#validation };
    this.#liveness = new Liveness(settings, halves);
    this.#news = new News(parts.owner, this);
    this.#transmitter = new Transmitter(
      new PacketWriter(this.sendId, seq, halves),
      new PathMtu(settings.payload, settings.maxPayload, ipFamily(this.remote.address)),
      halves,
    );
    this.#intake = new Intake(dial, seq, acceptance?.synSeq ?? 0, this.#transmitter, halves);
    if (acceptance) this.#accept(acceptance, now);
  }

  #accept(acceptance: Acceptance, now: Instant): void {
    this.#liveness.heard(now);
    this.#sender.meetPeer(acceptance.window, acceptance.extended);
    this.#validation.expectProof(acceptance.credit, now);
    this.#validation.firstFlightAccepted = acceptance.data.length > 0;
    this.#receiver.start(acceptance.synSeq + 1);
    this.#receiver.prepend(acceptance.data, acceptance.meta);
    if (acceptance.rtt !== undefined) this.#sender.rtt.sample(Math.max(0.001, acceptance.rtt), now);
    // A SYN without data was answered when it came.
    this.#transmitter.ackDue = acceptance.data.length > 0;
    this.#owner.emit(this, "accepted");
    this.#settle();
    this.#owner.touch(this);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The peer took the `data` of our SYN; known from `connected` on. If it did not, it is sent again as DATA. */
  get firstFlightAccepted(): boolean {
    return this.#validation.firstFlightAccepted;
  }

  /** The peer has proved that it receives at its address. */
  get validated(): boolean {
    return this.#validation.validated;
  }

  /**
   * Queues bytes; takes ownership of `chunk`. False: above the send buffer, wait for `drain`. Packets split where `meta`
   * changes. Writing before `connected` is fine; after `end` it does nothing.
   */
  write(chunk: Uint8Array, meta?: Uint8Array): boolean {
    if (meta) checkMeta("meta", meta);
    const sender = this.#sender;
    if (this.#state === "closed" || sender.ending) return false;
    sender.buffer.push(chunk, meta);
    this.#counters.bytesWritten += chunk.length;
    this.#owner.touch(this);
    if (sender.buffer.unsent < this.#settings.sendBuffer) return true;
    this.#news.drainWanted = true;
    return false;
  }

  /** Ends our side after all that was written (FIN). The peer may go on sending. */
  end(): void {
    if (this.#state === "closed") return;
    this.#sender.end();
    this.#owner.touch(this);
  }

  /** Ends both sides: what was written is still sent for up to 5 s, what comes is refused. `closed` follows at once. */
  close(): void {
    if (this.#state === "closed") return;
    const established = this.#state === "connected";
    this.#closed();
    this.#abandoned = established;
    this.#receiver.clear();
    this.#sender.end();
    if (established) this.#owner.touch(this);
    else this.#release("reset");
  }

  /** Drops everything, tells the peer (RESET), and closes with `error`. */
  abort(error?: Error): void {
    if (this.#state !== "closed") this.#closed(error);
    else if (!this.#abandoned) return;
    this.#release("reset");
  }

  /** All received bytes, joined, up to `limit` (default 64 KiB); undefined when there are none. Opens the window. */
  read(limit = 65_536): Uint8Array | undefined {
    const data = this.#receiver.read(limit);
    this.#afterRead(data === undefined);
    return data;
  }

  /** The next received packet by itself. */
  readPacket(): ReceivedPacket | undefined {
    const packet = this.#receiver.readPacket();
    this.#afterRead(packet === undefined);
    return packet;
  }

  #afterRead(empty: boolean): void {
    if (empty) this.#news.readToEnd();
    else if (this.#state === "connected" && this.#transmitter.updateWindow()) this.#owner.touch(this);
    this.#settle();
  }

  /** Both sides have ended, or the user has closed: what remains is only to be acknowledged. */
  get ending(): boolean {
    return this.#abandoned || (this.#sender.ending && this.#receiver.ended);
  }

  /** Everything that will ever be sent is acknowledged, or nothing more is sent. */
  get flushed(): boolean {
    return this.#released || this.#sender.finished;
  }

  /** When anything valid last came from the peer. */
  get heardAt(): Instant {
    return this.#liveness.heardAt;
  }

  /** Received bytes that wait for `read`. */
  get readable(): number {
    return this.#receiver.unread;
  }

  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#sender.unacknowledged;
  }

  /** Switches the congestion controller by name; unknown names are ignored. */
  setCongestion(name: string): void {
    this.#sender.setCongestion(name);
  }

  setNoDelay(noDelay: boolean): void {
    this.#sender.noDelay = noDelay;
    this.#owner.touch(this);
  }

  /** Ms of idleness before the peer is asked whether it lives; false: never. */
  setKeepAlive(idle: Millis | false): void {
    this.#liveness.keepAlive = idle;
    this.#owner.touch(this);
  }

  stats(): UtpStats {
    return this.#counters.stats(this.#sender, this.#receiver);
  }

  /** For the endpoint: a packet with our id. Returns why it was dropped, if it was. */
  receive(packet: Packet, now: Instant): string | undefined {
    this.#counters.packetsReceived++;
    if (packet.type === RESET) return this.#receiveReset(packet);
    if (this.#state === "connecting") {
      if (!this.#intake.answers(packet, now)) return "no-answer";
      this.#state = "connected";
      this.#owner.emit(this, "connected");
    }
    const refusal = this.#intake.refusal(packet);
    if (refusal) return refusal;
    this.#liveness.heard(now);
    this.#owner.touch(this);
    if (this.#abandoned && this.#intake.isNews(packet)) {
      // As TCP after close(): the peer must learn that nobody reads.
      this.#release("reset");
      return "after-close";
    }
    const drop = this.#intake.take(packet, now);
    this.#settle();
    return drop;
  }

  #receiveReset(packet: Packet): string | undefined {
    if (this.#liveness.settled) return "after-end";
    const connecting = this.#state === "connecting";
    if (!this.#intake.isReset(packet, connecting)) return "reset-guess";
    this.#fail(connecting ? "ECONNREFUSED" : "ECONNRESET", "silence");
    return undefined;
  }

  /** For the endpoint: the peer is somewhere else now, and asked at once what it has. */
  moved(): void {
    this.#transmitter.keepAliveDue = true;
    this.#owner.touch(this);
  }

  /** For the endpoint: somebody answers there, so that the next SYN may leave at once. */
  hurry(): void {
    if (this.#state !== "connecting") return;
    this.#dial!.hurry();
    this.#owner.touch(this);
  }

  /** For the endpoint: the system could not send to the peer, or was told that nobody is there. */
  sendFailed(code: string, now: Instant): void {
    if (code === "EMSGSIZE") this.#transmitter.tooLarge(now);
    else if (this.#state === "connecting" && HOPELESS.has(code)) this.#fail(code, "silence");
    else if (code === "ECONNREFUSED") this.#liveness.refused(now);
    this.#owner.touch(this);
  }

  /** For the host: no packet comes or goes any more. Who has ended, and heard the peer's end, may still read. */
  lost(error: Error): void {
    if (!this.#liveness.settled) this.#fail(error, "silence");
  }

  /** Tells the user what is new, and ends when both directions have. */
  #settle(): void {
    if (this.#abandoned) {
      if (this.#sender.finished && this.#receiver.ended) this.#release("linger");
    } else if (this.#state === "connected" && this.#news.tell(this.#receiver, this.#sender)) {
      this.#closed();
      this.#release("linger");
    }
  }

  #closed(error?: Error): void {
    this.#state = "closed";
    this.#owner.emit(this, "closed", error);
  }

  #fail(why: string | Error, farewell: Farewell): void {
    // The peer has had and sent everything; that it forgot us before it acknowledged our FIN is no failure.
    const complete = this.#liveness.lastAck && this.#receiver.exhausted;
    if (this.#state !== "closed") {
      if (complete) this.#owner.emit(this, "finished");
      this.#closed(complete ? undefined : typeof why === "string" ? this.#errorOf(why) : why);
    }
    this.#release(complete ? "silence" : farewell);
  }

  #errorOf(code: string): Error {
    const { address, port } = this.remote;
    return systemError(code, this.#state === "connecting" ? "connect" : "read", address, port);
  }

  #release(farewell: Farewell): void {
    if (farewell === "linger" && this.#transmitter.ackDue) farewell = "last-ack";
    // Before proof not even a RESET leaves that is more than what came.
    if (this.#validation.allowance < HEADER_SIZE) farewell = "silence";
    this.#abandoned = false;
    const { next } = this.#sender.flight;
    const ack = (this.#receiver.next - 1) & 0xffff;
    this.#sender.clear();
    this.#released = true;
    this.#owner.release(this, farewell, next, ack);
  }

  /** For the endpoint: payload bytes a packet that never left before may have. */
  get largestPacket(): number {
    return Math.min(this.#sender.payload, this.#sender.buffer.unsent);
  }

  /** For the endpoint: writes the next packet into `out`; returns its size, 0 if nothing may leave now. */
  transmit(now: Instant, out: Uint8Array): number {
    if (this.#released) return 0;
    if (this.#abandoned) this.#liveness.linger(now);
    const size = this.#state === "connecting" ? this.#writeSyn(now, out) : this.#transmitter.next(now, out);
    if (size === 0) return 0;
    if (this.#state === "connected") {
      this.#news.drain(this.#sender.buffer.unsent, this.#settings.sendBuffer / 2);
    }
    this.#counters.packetsSent++;
    this.#validation.sent(size);
    return size;
  }

  #writeSyn(now: Instant, out: Uint8Array): number {
    const dial = this.#dial!;
    if (dial.nextAt > now) return 0;
    if (dial.tries === 0) this.#liveness.dialled(now);
    const size = this.#transmitter.writer.syn(out, dial, this.receiveId, now);
    dial.sent(now);
    return size;
  }

  /** For the endpoint: when `expire` is to be called; Infinity: never. */
  deadline(now: Instant): Instant {
    if (this.#released) return Number.POSITIVE_INFINITY;
    const next = this.#state === "connecting" ? this.#dial!.nextAt : this.#sender.deadline(now);
    return Math.min(next, this.#liveness.deadline(), this.#transmitter.mtu.deadline);
  }

  /** For the endpoint: does what is due. */
  expire(now: Instant): void {
    if (this.#released) return;
    const verdict = this.#liveness.judge(now);
    if (verdict === "lingered") this.#release(this.#sender.finished ? "silence" : "reset");
    else if (verdict === "refused") this.#fail("ECONNRESET", "silence");
    else if (verdict !== "alive") this.#fail("ETIMEDOUT", verdict === "silent" ? "reset" : "silence");
    else this.#owner.touch(this);
    if (verdict !== "alive" || this.#state === "connecting") return;
    if (this.#validation.deadline <= now) this.#transmitter.prove(now);
    if (this.#liveness.ask(now)) this.#transmitter.keepAliveDue = true;
    if (now - this.#liveness.heardAt > IDLE) this.#sender.flight.trim();
    this.#transmitter.mtu.expire(now);
    this.#sender.expire(now);
  }
}
