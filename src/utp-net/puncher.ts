import { sameBytes } from "../base/bytes.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { DatagramEngine } from "../contract/engine.ts";
import type { Random } from "../contract/runtime.ts";
import { ANSWER, makePunch, PROBE, punchKind, punchToken, TOKEN_SIZE } from "./punch-packet.ts";

/** Between two probes, and after the last one (utp-punch's, whose users count their attempts by it). */
const INTERVAL: Millis = 500;
/** Probes of others that are answered in a second (chosen: far more than honest peers send, little for a reflector). */
const ANSWERS_PER_SECOND = 100;

/** A punch that is over. */
export interface PunchEvent {
  readonly onDone: (success: boolean) => void;
  readonly success: boolean;
}

/** One address that is being punched. */
interface Punch {
  readonly remote: SocketAddress;
  readonly token: Uint8Array;
  readonly onDone: (success: boolean) => void;
  /** Probes left to send. */
  left: number;
  /** When the next is due, or when the last one counts as lost. */
  at: Instant;
}

/**
 * Opens ways through NATs: sends probes to an address until one of them is answered, and answers those of others. Both sides punch
 * at the same time: a probe that comes in from where we punch makes the next of ours leave at once (RFC 8445 §7.3.1.4).
 */
export class Puncher implements DatagramEngine<PunchEvent> {
  /** Datagrams that were not for us, by reason. */
  readonly drops = new Map<string, number>();
  readonly #random: Random;
  readonly #punches = new Set<Punch>();
  readonly #rate = new TokenBucket(ANSWERS_PER_SECOND);
  readonly #out: Datagram[] = [];
  readonly #events: PunchEvent[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Sends up to `attempts` probes; the event then has `onDone`. */
  start(remote: SocketAddress, attempts: number, onDone: (success: boolean) => void, now: Instant): void {
    const token = this.#random.fill(new Uint8Array(TOKEN_SIZE));
    this.#punches.add({ remote, token, onDone, left: attempts, at: now });
    this.handleTimeout(now);
  }

  /** Ends all that go on, without success. */
  stop(): void {
    for (const punch of this.#punches) this.#finish(punch, false);
  }

  handleDatagram({ data, remote }: Datagram, now: Instant): void {
    const kind = punchKind(data);
    if (kind === PROBE) this.#receiveProbe(data, remote, now);
    else if (kind === ANSWER) this.#receiveAnswer(data, remote);
    else this.#drop("foreign");
  }

  #receiveProbe(data: Uint8Array, remote: SocketAddress, now: Instant): void {
    for (const punch of this.#punches) {
      if (isFrom(punch, remote) && punch.left > 0) this.#probe(punch, now);
    }
    const { address, port } = remote;
    if (!this.#rate.take(now)) this.#drop("too-many");
    else this.#out.push({ data: makePunch(ANSWER, punchToken(data)), remote: { address, port } });
  }

  #receiveAnswer(data: Uint8Array, remote: SocketAddress): void {
    for (const punch of this.#punches) {
      if (!isFrom(punch, remote) || !sameBytes(punch.token, punchToken(data))) continue;
      this.#finish(punch, true);
      return;
    }
    this.#drop("unasked");
  }

  #drop(reason: string): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  #probe(punch: Punch, now: Instant): void {
    punch.left--;
    punch.at = now + INTERVAL;
    this.#out.push({ data: makePunch(PROBE, punch.token), remote: punch.remote });
  }

  #finish(punch: Punch, success: boolean): void {
    this.#punches.delete(punch);
    this.#events.push({ onDone: punch.onDone, success });
  }

  handleTimeout(now: Instant): void {
    for (const punch of this.#punches) {
      if (punch.at > now) continue;
      if (punch.left > 0) this.#probe(punch, now);
      else this.#finish(punch, false);
    }
  }

  pollTransmit(): Datagram | undefined {
    return this.#out.shift();
  }

  pollEvent(): PunchEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    let next: Instant | undefined;
    for (const { at } of this.#punches) if (next === undefined || at < next) next = at;
    return next;
  }
}

function isFrom({ remote }: Punch, { address, port }: SocketAddress): boolean {
  return remote.port === port && remote.address === address;
}
