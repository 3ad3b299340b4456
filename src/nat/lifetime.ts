import type { Instant, Millis } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { Engine } from "../contract/engine.ts";
import type { Random } from "../contract/runtime.ts";
import { RESPONSE_PORT } from "../stun/behaviour.ts";
import { BINDING, reflexiveAddress } from "../stun/binding.ts";
import { StunClient, type StunClientEvent } from "../stun/client.ts";
import { datagramSchedule } from "../stun/transaction.ts";

/** The socket whose mapping is measured, and the one that asks whether it lives. */
export const MEASURED = 0;
export const ASKING = 1;

/** Sent at 0 and 250 ms, over at 1250: silence is an answer here (chosen). */
const SCHEDULE = datagramSchedule(250, 2).with(-1, 1000);
/** Between these the lifetime is sought: nobody needs to keep a NAT open more or less often (chosen). */
const LEAST: Millis = 5000;
const MOST: Millis = 300_000;
/** How exactly (chosen). */
const PRECISION: Millis = 5000;

/** How to measure. */
export interface LifetimeOptions {
  readonly random: Random;
  /** A server that answers to another port when asked to (RFC 5780 §7.5). */
  readonly server: SocketAddress;
}

/** A question from one of the two sockets, to be answered to that port of its IP if one is given, or a wait. */
type Step = { readonly via: number; readonly responsePort?: number } | { readonly wait: Millis };

/** Undefined: silence. `via`: where it came in. */
type Answer = { readonly via: number; readonly mapped: SocketAddress | undefined } | undefined;

/** A question that leaves from one of the two sockets. */
export interface LifetimeDatagram extends Datagram {
  readonly via: number;
}

/** The longest silence after which the mapping still lived, in ms; undefined if it cannot be measured with that server. */
export interface LifetimeEvent {
  readonly lifetime: Millis | undefined;
}

/**
 * How long a NAT keeps an idle mapping (RFC 5780 §4.6): after a silence of the one socket the other one asks the server to answer to the
 * first one's mapping. Takes minutes; whoever wants to know asks for it.
 */
export class LifetimeSearch implements Engine<LifetimeEvent, LifetimeDatagram> {
  readonly #client: StunClient;
  readonly #server: SocketAddress;
  readonly #steps = search();
  readonly #events: LifetimeEvent[] = [];
  #via = MEASURED;
  #cameTo = MEASURED;
  #waitUntil: Instant | undefined;

  constructor({ random, server }: LifetimeOptions, now: Instant) {
    this.#client = new StunClient({ random });
    this.#server = server;
    this.#proceed(undefined, now);
  }

  #proceed(answer: Answer, now: Instant): void {
    const { done, value } = this.#steps.next(answer);
    if (done) this.#events.push({ lifetime: value });
    else if ("wait" in value) this.#waitUntil = now + value.wait;
    else this.#ask(value.via, value.responsePort);
  }

  #ask(via: number, responsePort: number | undefined): void {
    this.#via = via;
    this.#client.request({
      to: this.#server,
      method: BINDING,
      schedule: SCHEDULE,
      patient: true,
      ...(responsePort !== undefined && { attributes: [RESPONSE_PORT.of(responsePort)] }),
    });
  }

  /** `via`: the socket it came to. */
  handleDatagram(datagram: Datagram, via: number, now: Instant): void {
    this.#cameTo = via;
    this.#client.handleDatagram(datagram, now);
    this.#takeEvents(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#waitUntil !== undefined && this.#waitUntil <= now) {
      this.#waitUntil = undefined;
      this.#proceed(undefined, now);
    }
    this.#client.handleTimeout(now);
    this.#takeEvents(now);
  }

  #takeEvents(now: Instant): void {
    for (let event = this.#client.pollEvent(); event; event = this.#client.pollEvent()) {
      this.#proceed(this.#answerOf(event), now);
    }
  }

  #answerOf(event: StunClientEvent): Answer {
    if (event.type !== "response" || event.message.class !== "success") return undefined;
    return { via: this.#cameTo, mapped: reflexiveAddress(event.message) };
  }

  pollTransmit(now: Instant): LifetimeDatagram | undefined {
    const out = this.#client.pollTransmit(now);
    return out && { ...out, via: this.#via };
  }

  pollEvent(): LifetimeEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    const next = this.#client.pollTimeout();
    if (next === undefined || this.#waitUntil === undefined) return next ?? this.#waitUntil;
    return Math.min(next, this.#waitUntil);
  }
}

/** Doubles the silence until the mapping does not outlive it, then halves what is between. */
function* search(): Generator<Step, Millis | undefined, Answer> {
  let alive: Millis = 0;
  let dead: Millis = Number.POSITIVE_INFINITY;
  for (let wait = LEAST; alive < MOST && dead - alive > PRECISION; ) {
    const fresh = yield { via: MEASURED };
    if (!fresh?.mapped) return undefined;
    yield { wait };
    const answer = yield { via: ASKING, responsePort: fresh.mapped.port };
    // A server that does not know RESPONSE-PORT answers to whoever has asked.
    if (answer?.via === ASKING) return undefined;
    if (answer) alive = wait;
    else dead = wait;
    wait = dead === Number.POSITIVE_INFINITY ? Math.min(2 * wait, MOST) : (alive + dead) / 2;
  }
  return alive === 0 ? undefined : alive;
}
