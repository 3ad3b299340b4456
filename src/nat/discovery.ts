import { sameBytes } from "../base/bytes.ts";
import { isAsFar } from "../base/ip.ts";
import type { Instant } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { DatagramEngine } from "../contract/engine.ts";
import type { Random } from "../contract/runtime.ts";
import { OTHER_ADDRESS } from "../stun/addresses.ts";
import { CHANGE_REQUEST, type Change } from "../stun/behaviour.ts";
import { BINDING, reflexiveAddress } from "../stun/binding.ts";
import { StunClient, type StunClientEvent } from "../stun/client.ts";
import { HEADER_SIZE, looksLikeStun } from "../stun/message.ts";
import { datagramSchedule } from "../stun/transaction.ts";
import type { NatBehaviour } from "./behaviour.ts";
import { behaviourFrom, type Sighting } from "./sighting.ts";

/** Sent at 0, 250 and 750 ms, over at 1750: silence is an answer here, and a lost one is taken for it (chosen). */
const SCHEDULE = datagramSchedule(250, 3).with(-1, 1000);

/** How to discover. */
export interface DiscoveryOptions {
  readonly random: Random;
  /** The port of the socket, which has talked to nobody. */
  readonly localPort: number;
  /** Servers, most useful first; one that speaks RFC 5780 says more than two that do not. */
  readonly servers: readonly SocketAddress[];
}

/** What is known so far; `done` once nothing more can be learned. */
export interface DiscoveryEvent {
  readonly nat: NatBehaviour;
  readonly done: boolean;
}

/** One question to a server, or to our own mapping. */
interface Question {
  readonly to: SocketAddress;
  readonly change?: Change;
}

/** Undefined: silence. `looped`: our own question came in. */
type Answer =
  | { readonly mapped?: SocketAddress; readonly other?: SocketAddress; readonly looped?: boolean }
  | undefined;

/** Yields questions, is given answers, and says what is known whenever that is more. */
type Steps = Generator<Question | NatBehaviour, void, Answer>;

/**
 * NAT behaviour discovery (RFC 5780), as far as the servers allow: filtering first, since it may be spoiled by talking to more of the
 * server's addresses, then mapping and ports, then hairpinning. Takes seconds: never wait for it.
 */
export class Discovery implements DatagramEngine<DiscoveryEvent> {
  readonly #client: StunClient;
  readonly #steps: Steps;
  readonly #events: DiscoveryEvent[] = [];
  #handle: number | undefined;
  /** The transaction id of what was sent last. */
  #asked: Uint8Array | undefined;
  #nat: NatBehaviour = {};

  constructor({ random, localPort, servers }: DiscoveryOptions) {
    this.#client = new StunClient({ random });
    this.#steps = discover(servers, localPort);
    this.#proceed(undefined);
  }

  #proceed(answer: Answer): void {
    this.#handle = undefined;
    for (let step = this.#steps.next(answer); ; step = this.#steps.next(undefined)) {
      if (step.done) {
        this.#events.push({ nat: this.#nat, done: true });
        return;
      }
      if ("to" in step.value) {
        this.#ask(step.value);
        return;
      }
      this.#nat = { ...this.#nat, ...step.value };
      this.#events.push({ nat: this.#nat, done: false });
    }
  }

  #ask({ to, change }: Question): void {
    this.#handle = this.#client.request({
      to,
      method: BINDING,
      schedule: SCHEDULE,
      patient: true,
      ...(change && { attributes: [CHANGE_REQUEST.of(change)] }),
    });
  }

  handleDatagram(datagram: Datagram, now: Instant): void {
    const { data } = datagram;
    const own = this.#asked && looksLikeStun(data) && sameBytes(data.subarray(8, HEADER_SIZE), this.#asked);
    if (own && data[0] === 0 && data[1] === BINDING && this.#handle !== undefined) {
      this.#client.cancel(this.#handle);
      this.#proceed({ looped: true });
      return;
    }
    this.#client.handleDatagram(datagram, now);
    this.#takeEvents();
  }

  handleTimeout(now: Instant): void {
    this.#client.handleTimeout(now);
    this.#takeEvents();
  }

  #takeEvents(): void {
    for (let event = this.#client.pollEvent(); event; event = this.#client.pollEvent()) {
      if (event.handle === this.#handle) this.#proceed(answerOf(event));
    }
  }

  pollTransmit(now: Instant): Datagram | undefined {
    const out = this.#client.pollTransmit(now);
    if (out) this.#asked = out.data.slice(8, HEADER_SIZE);
    return out;
  }

  pollEvent(): DiscoveryEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#client.pollTimeout();
  }
}

function answerOf(event: StunClientEvent): Answer {
  if (event.type !== "response" || event.message.class !== "success") return undefined;
  const mapped = reflexiveAddress(event.message);
  const other = OTHER_ADDRESS.in(event.message);
  return { ...(mapped && { mapped }), ...(other && { other }) };
}

function* discover(servers: readonly SocketAddress[], local: number): Steps {
  const sightings: Sighting[] = [];
  function* see(server: SocketAddress): Generator<Question | NatBehaviour, Answer, Answer> {
    const answer = yield { to: server };
    if (answer?.mapped) {
      sightings.push({ server, local, mapped: answer.mapped });
      yield behaviourFrom(sightings);
    }
    return answer;
  }
  for (const server of servers) {
    const answer = yield* see(server);
    if (!answer?.mapped || !answer.other || !isAsFar(answer.other.address, server.address)) continue;
    const { other } = answer;
    yield* discoverFiltering(server);
    yield* see({ address: other.address, port: server.port });
    yield* see(other);
    yield* see({ address: server.address, port: other.port });
    break;
  }
  const last = sightings.at(-1);
  const seen = last?.mapped;
  if (seen && isAsFar(seen.address, last.server.address))
    yield { hairpin: (yield { to: seen })?.looped === true };
}

/** RFC 5780 §4.4, tests II and III. Nothing but `server` has been talked to. */
function* discoverFiltering(server: SocketAddress): Steps {
  const fromElsewhere = yield { to: server, change: { ip: true, port: true } };
  if (fromElsewhere?.mapped) {
    yield { filtering: "endpoint-independent" };
    return;
  }
  const fromOtherPort = yield { to: server, change: { ip: false, port: true } };
  yield { filtering: fromOtherPort?.mapped ? "address-dependent" : "address-and-port-dependent" };
}
