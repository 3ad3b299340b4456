import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Datagram, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { DatagramEngine } from "../../src/contract/engine.ts";

/** A segment as UDP payload, so that with the link's IP and UDP headers it has Ethernet's 1500 bytes. */
const SEGMENT = 1472;
/** TCP and IP headers without options leave so much of 1500 bytes. */
export const SEGMENT_PAYLOAD = 1460;
const ACK = 12;
/** RFC 6928. */
const INITIAL_WINDOW = 10;
const LEAST_WINDOW = 2;
/** RFC 5681 §3.2. */
const DUPLICATES = 3;
/** As Linux. */
const LEAST_RTO: Millis = 200;
/** RFC 9438 §4.1 and §4.6. */
const CUBIC = { c: 0.4, beta: 0.7 } as const;
const RENO = { beta: 0.5 } as const;

/** Which window a TcpSender keeps. */
export type TcpKind = "reno" | "cubic";

/**
 * A TCP sender with endless data, reduced to what competes for a link: slow start, congestion avoidance as Reno
 * (RFC 5681) or CUBIC (RFC 9438), loss by selective acknowledgement, one cut per round, time-outs. Counts in segments.
 * What is lost leaves again as a new segment: only its place in the queue matters.
 */
export class TcpSender implements DatagramEngine<never> {
  window = INITIAL_WINDOW;
  /** It has no more data. */
  stopped = false;
  readonly #kind: TcpKind;
  readonly #to: SocketAddress;
  readonly #buffer = new Uint8Array(SEGMENT);
  readonly #view = new DataView(this.#buffer.buffer);
  #threshold = Number.POSITIVE_INFINITY;
  #next = 0;
  /** Segments on the way, in the order they left, with the time they did. */
  readonly #flight = new Map<number, Instant>();
  #highest = -1;
  /** Losses below belong to the cut that was made. */
  #recovery = 0;
  #smoothed: Millis = 0;
  #variation: Millis = 0;
  #timeoutAt: Instant = 0;
  #lastWindow = 0;
  #epoch: Instant | undefined;
  #friendly = 0;

  constructor(kind: TcpKind, to: SocketAddress) {
    this.#kind = kind;
    this.#to = to;
  }

  handleDatagram({ data }: Datagram, now: Instant): void {
    const number = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    const sentAt = this.#flight.get(number);
    if (sentAt === undefined) return;
    this.#flight.delete(number);
    this.#highest = Math.max(this.#highest, number);
    this.#sample(now - sentAt);
    this.#timeoutAt = now + this.#rto;
    this.#grow(now);
    this.#detect(now);
  }

  #sample(rtt: Millis): void {
    if (this.#smoothed === 0) {
      this.#smoothed = rtt;
      this.#variation = rtt / 2;
    }
    this.#variation += (Math.abs(rtt - this.#smoothed) - this.#variation) / 4;
    this.#smoothed += (rtt - this.#smoothed) / 8;
  }

  get #rto(): Millis {
    return this.#smoothed === 0 ? 1000 : Math.max(LEAST_RTO, this.#smoothed + 4 * this.#variation);
  }

  #grow(now: Instant): void {
    if (this.#highest < this.#recovery) return;
    if (this.window < this.#threshold) this.window++;
    else if (this.#kind === "reno") this.window += 1 / this.window;
    else this.window += this.#cubicStep(now);
  }

  #cubicStep(now: Instant): number {
    const { c, beta } = CUBIC;
    if (this.#epoch === undefined) {
      this.#epoch = now;
      this.#friendly = this.window;
      this.#lastWindow = Math.max(this.#lastWindow, this.window);
    }
    const k = Math.cbrt((this.#lastWindow - this.#lastWindow * beta) / c);
    const t = (now - this.#epoch + this.#smoothed) / 1000;
    const target = c * (t - k) ** 3 + this.#lastWindow;
    this.#friendly += (3 * (1 - beta)) / (1 + beta) / this.window;
    const goal = Math.min(Math.max(target, this.#friendly), 1.5 * this.window);
    return Math.max(0, (goal - this.window) / this.window);
  }

  /** A segment is lost when one that is three later has arrived. */
  #detect(now: Instant): void {
    for (const [number] of this.#flight) {
      if (number > this.#highest - DUPLICATES) break;
      this.#flight.delete(number);
      if (number >= this.#recovery) this.#cut(now);
    }
  }

  #cut(now: Instant): void {
    const { beta } = this.#kind === "reno" ? RENO : CUBIC;
    // RFC 9438 §4.7: a flow that loses below its last window makes room.
    this.#lastWindow = this.window < this.#lastWindow ? (this.window * (1 + beta)) / 2 : this.window;
    this.window = this.#threshold = Math.max(LEAST_WINDOW, this.window * beta);
    this.#recovery = this.#next;
    this.#epoch = undefined;
    this.#timeoutAt = now + this.#rto;
  }

  handleTimeout(now: Instant): void {
    if ((this.pollTimeout() ?? Number.POSITIVE_INFINITY) > now) return;
    this.#flight.clear();
    this.#cut(now);
    this.window = 1;
  }

  pollTransmit(now: Instant): Datagram | undefined {
    if (this.stopped || this.#flight.size >= Math.floor(this.window)) return undefined;
    const number = this.#next++;
    this.#flight.set(number, now);
    if (this.#flight.size === 1) this.#timeoutAt = now + this.#rto;
    this.#view.setFloat64(0, number);
    return { data: this.#buffer, remote: this.#to };
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    return this.#flight.size > 0 ? this.#timeoutAt : undefined;
  }
}

/** Acknowledges each segment by its number, as selective acknowledgements would. */
export class TcpReceiver implements DatagramEngine<never> {
  /** Payload that has come. */
  bytes = 0;
  readonly #answers: Datagram[] = [];

  handleDatagram({ data, remote }: Datagram): void {
    this.bytes += SEGMENT_PAYLOAD;
    this.#answers.push({ data: data.slice(0, ACK), remote });
  }

  handleTimeout(): void {}

  pollTransmit(): Datagram | undefined {
    return this.#answers.shift();
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): undefined {
    return undefined;
  }
}
