import type { Instant, Timer } from "../../../src/contract/clock.ts";
import { Link, type LinkOptions } from "../link.ts";
import { type Packet, packetSize } from "./packet.ts";
import type { World } from "./world.ts";

/** One direction of a link, moved by the world's clock. */
export class Cable {
  readonly link: Link<Packet>;
  readonly #name: string;
  readonly #world: World;
  readonly #deliver: (packet: Packet) => void;
  #timer: Timer | undefined;
  #armedFor: Instant | undefined;

  constructor(name: string, options: LinkOptions, world: World, deliver: (packet: Packet) => void) {
    this.link = new Link(options, world.random.integer(2 ** 32));
    this.#name = name;
    this.#world = world;
    this.#deliver = deliver;
  }

  send(packet: Packet): void {
    const drop = this.link.send(packet, packetSize(packet), this.#world.clock.now());
    if (drop) this.#world.observe({ kind: "dropped", where: this.#name, packet, reason: `link ${drop}` });
    else this.#arm();
  }

  #arm(): void {
    const next = this.link.next();
    if (next === this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = next;
    if (next !== undefined) this.#timer = this.#world.clock.setTimer(next, () => this.#arrive());
  }

  #arrive(): void {
    this.#armedFor = undefined;
    const now = this.#world.clock.now();
    for (let packet = this.link.poll(now); packet; packet = this.link.poll(now)) this.#deliver(packet);
    this.#arm();
  }
}
