import type { Outcome } from "../programs/peer.ts";
import { Lab, type LabOptions } from "./lab.ts";
import type { Machine } from "./machine.ts";
import { Peer, startRegistrar } from "./peer.ts";
import type { Site } from "./site.ts";
import type { SiteKind } from "./sites.ts";

/** A peer and where it is. */
export interface Party {
  readonly site: Site;
  readonly peer: Peer;
}

/** A lab with a registrar, and peers on sites of any kind as they are asked for. */
export class Trial {
  readonly lab: Lab;
  readonly #registrar: readonly string[];
  readonly #transports: readonly string[];
  readonly #parties = new Map<string, Promise<readonly Party[]>>();

  private constructor(lab: Lab, registrar: readonly string[], transports: readonly string[]) {
    this.lab = lab;
    this.#registrar = registrar;
    this.#transports = transports;
  }

  /** Its peers have the transports of these words. */
  static async open(transports: readonly string[], options: LabOptions = {}): Promise<Trial> {
    const lab = await Lab.open(options);
    return new Trial(lab, await startRegistrar(lab), transports);
  }

  /** A peer on a site of each kind; they stay, and two of one kind are on two sites. */
  async pair(one: SiteKind, other: SiteKind): Promise<Pair> {
    const [[first], [second]] = await Promise.all([this.#at(one, 0), this.#at(other, one === other ? 1 : 0)]);
    return new Pair(first!, second!);
  }

  /** Both hosts of one site. */
  async neighbours(kind: SiteKind): Promise<Pair> {
    const [first, second] = await this.#at(kind, 0);
    return new Pair(first!, second!);
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  #at(kind: SiteKind, number: number): Promise<readonly Party[]> {
    const key = `${kind} ${number}`;
    const known = this.#parties.get(key);
    if (known) return known;
    const site = this.lab.site(kind);
    const parties = Promise.all(site.hosts.map((machine) => this.#settle(site, machine)));
    this.#parties.set(key, parties);
    return parties;
  }

  async #settle(site: Site, machine: Machine): Promise<Party> {
    const setUp = { registrar: this.#registrar, transports: this.#transports };
    const peer = await Peer.start(machine, setUp);
    await peer.listen(); // Known to the registrar, as peers are that have run for a while.
    return { site, peer };
  }
}

/** Two peers that are to meet. */
export class Pair {
  readonly one: Party;
  readonly other: Party;

  constructor(one: Party, other: Party) {
    this.one = one;
    this.other = other;
  }

  /** The same pair, the other one dialling. */
  get turned(): Pair {
    return new Pair(this.other, this.one);
  }

  /** One dials the other, on new sockets and through routers that know neither, and keeps the connection. */
  async connect(): Promise<Outcome> {
    for (const site of new Set([this.one.site, this.other.site])) site.forgetMappings();
    return this.one.peer.dial(await this.other.peer.listen());
  }

  /** Connects, sees bytes come back if that worked, and hangs up. */
  async meet(): Promise<Outcome> {
    const outcome = await this.connect();
    if (outcome.transport !== undefined) {
      await this.one.peer.echo();
      await this.one.peer.hangUp();
    }
    return outcome;
  }
}
