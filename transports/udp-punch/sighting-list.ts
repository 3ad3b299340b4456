import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { StunServers } from "../../src/host/stun-servers.ts";
import { behaviourFrom, type Sighting } from "../../src/nat/sighting.ts";
import type { PunchPort } from "./punch-port.ts";
import type { PunchSession } from "./punch-session.ts";
import { askServers } from "./reflexive.ts";

/** What servers have said is taken for what they would say (chosen: a NAT may have moved since, but not often). */
const FRESH: Millis = 5000;

/** Where servers see one port, told to its punches as soon as it is known. */
export class SightingList {
  readonly #port: PunchPort | undefined;
  readonly #servers: StunServers;
  readonly #runtime: Runtime;
  readonly #sessions = new Set<PunchSession>();
  #sightings: readonly Sighting[] = [];
  #complete = false;
  #askedAt: Instant = Number.NEGATIVE_INFINITY;

  /** Without a port there is nothing to be seen. */
  constructor(port: PunchPort | undefined, servers: StunServers, runtime: Runtime) {
    this.#port = port;
    this.#servers = servers;
    this.#runtime = runtime;
  }

  /** Asks again, unless that was done a moment ago. */
  renew(): void {
    if (this.#runtime.clock.now() - this.#askedAt > FRESH) void this.refresh();
  }

  /** Asks all servers; what they say replaces what they said before. Never rejects. */
  async refresh(): Promise<void> {
    this.#askedAt = this.#runtime.clock.now();
    let answered = false;
    const take = (sightings: readonly Sighting[], latest: Sighting): void => {
      answered = true;
      this.#sightings = sightings;
      for (const session of this.#sessions) this.#tell(session, [latest]);
    };
    if (this.#port) await askServers(this.#port, this.#servers, this.#runtime, take);
    if (!answered) this.#servers.forget();
    this.#complete = true;
    for (const session of this.#sessions) session.update((punch, now) => punch.complete(now));
  }

  /** Tells a punch what is known and what comes. Returns what ends that. */
  feed(session: PunchSession): () => void {
    this.#sessions.add(session);
    this.#tell(session, this.#sightings);
    if (this.#complete) session.update((punch, now) => punch.complete(now));
    return () => void this.#sessions.delete(session);
  }

  #tell(session: PunchSession, sightings: readonly Sighting[]): void {
    if (sightings.length === 0) return;
    session.update((punch, now) => {
      for (const { mapped } of sightings) punch.addCandidate({ kind: "reflexive", ...mapped }, now);
      punch.learn(behaviourFrom(this.#sightings), now);
    });
  }
}
