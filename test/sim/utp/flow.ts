import { seededRandom } from "../../../src/base/random.ts";
import type { Millis } from "../../../src/contract/clock.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import { Bottleneck, type Station } from "../../kit/bottleneck.ts";
import { type TcpKind, TcpReceiver, TcpSender } from "../../kit/tcp-flow.ts";

/** Bits per second of the link, and the round trip without queue: those of the order. */
export const RATE = 20e6;
export const ROUND_TRIP: Millis = 50;

/** A link of 20 Mbit/s and 50 ms whose router queues for so long. */
export function bottleneck(queueMillis: Millis): Bottleneck {
  const latency = ROUND_TRIP / 2;
  return new Bottleneck({ right: { rate: RATE, latency, queueMillis }, left: { latency } });
}

/** Something that always has data to send from the left to the right. */
export interface Flow {
  /** Payload that has come. */
  readonly bytes: number;
  start(): void;
}

/** A uTP connection that is written to as fast as it takes. */
export class UtpFlow implements Flow {
  bytes = 0;
  readonly #sender: Station<UtpEndpoint>;
  readonly #receiver: Station<UtpEndpoint>;
  readonly #congestion: string;
  #connection: UtpConnection | undefined;
  #paused = false;

  /** `congestion`: the name of its controller. */
  constructor(net: Bottleneck, congestion: string, seed = 1) {
    this.#congestion = congestion;
    this.#receiver = net.join("right", new UtpEndpoint({ random: seededRandom(2 * seed) }));
    this.#sender = net.join("left", new UtpEndpoint({ random: seededRandom(2 * seed + 1) }));
    this.#receiver.engine.listen();
    this.#receiver.onEvent = ({ type, connection }) => {
      if (type === "readable") this.#read(connection);
    };
    this.#sender.onEvent = ({ type }) => {
      if (type === "drain") this.#write();
    };
  }

  /** Once it has started. */
  get connection(): UtpConnection {
    return this.#connection!;
  }

  start(): void {
    this.#connection = this.#sender.call((engine) =>
      engine.connect(this.#receiver.address, { congestion: this.#congestion }),
    );
    this.#write();
  }

  /** While it is paused the application writes nothing. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#write();
  }

  #write(): void {
    const write = () =>
      !this.#paused && this.#sender.call(() => this.#connection!.write(new Uint8Array(65_536)));
    while (write());
  }

  #read(connection: UtpConnection): void {
    const read = () => this.#receiver.call(() => connection.read());
    for (let chunk = read(); chunk; chunk = read()) this.bytes += chunk.length;
  }
}

/** A TCP connection that is written to as fast as it takes. */
export class TcpFlow implements Flow {
  readonly #sender: Station<TcpSender>;
  readonly #receiver: Station<TcpReceiver>;

  constructor(net: Bottleneck, kind: TcpKind) {
    this.#receiver = net.join("right", new TcpReceiver());
    this.#sender = net.join("left", new TcpSender(kind, this.#receiver.address));
  }

  get bytes(): number {
    return this.#receiver.engine.bytes;
  }

  start(): void {
    this.#sender.call(() => {});
  }

  stop(): void {
    this.#sender.engine.stopped = true;
  }
}

/** The share of the link that each flow's payload has in the next `ms`. */
export function shares(net: Bottleneck, flows: readonly Flow[], ms: Millis): number[] {
  const before = flows.map(({ bytes }) => bytes);
  net.runFor(ms);
  return flows.map(({ bytes }, i) => ((bytes - before[i]!) * 8000) / ms / RATE);
}

/** For people. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
