import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { BindDatagram } from "../../src/host/local-sockets.ts";
import { discoverNat } from "../../src/host/nat-discovery.ts";
import type { StunServers } from "../../src/host/stun-servers.ts";
import { type NatBehaviour, UNKNOWN } from "../../src/nat/behaviour.ts";

/** What was discovered is believed that long (chosen: laptops move; a punch finds out anyway). */
const LIFETIME: Millis = 600_000;

/** What one transport has discovered of the NATs before this host. Punches use what is there. */
export class NatKnowledge {
  #nat: NatBehaviour = UNKNOWN;
  #until: Instant = Number.NEGATIVE_INFINITY;

  /** As of now; mostly unknown. */
  at(now: Instant): NatBehaviour {
    return now < this.#until ? this.#nat : UNKNOWN;
  }

  /** Discovers in the background, unless it is known. Takes a socket for some seconds; never rejects. */
  async refresh(
    bind: BindDatagram,
    servers: StunServers,
    runtime: Runtime,
    signal: AbortSignal,
  ): Promise<void> {
    const now = runtime.clock.now();
    if (now < this.#until) return;
    this.#until = now + LIFETIME;
    this.#nat = UNKNOWN;
    const addresses = await servers.addresses(runtime);
    if (addresses.length === 0 || signal.aborted) return;
    const socket = await bind({ address: "0.0.0.0" }).catch(() => undefined);
    if (socket) this.#nat = await discoverNat(socket, addresses, runtime, (nat) => this.#learn(nat), signal);
    if (signal.aborted) this.#until = Number.NEGATIVE_INFINITY;
  }

  #learn(nat: NatBehaviour): void {
    this.#nat = nat;
  }
}
