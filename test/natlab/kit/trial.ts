import type { ConnectionInfo } from "1tp";
import { Coturn } from "../../interop/stun/coturn.ts";
import type { Outcome, Word } from "../programs/peer.ts";
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

/** Where coturn listens, over UDP and TCP: what leaves the strictest site, and its usual port. */
const TURN_PORTS = [443, 3478] as const;

const SECRET = "of the lab";

/** A lab with a registrar and a TURN server, and peers on sites of any kind as they are asked for. */
export class Trial {
  readonly lab: Lab;
  readonly #registrar: readonly string[];
  readonly #turn: Machine;
  readonly #coturn: Coturn;
  readonly #parties = new Map<string, Promise<readonly Party[]>>();

  private constructor(lab: Lab, registrar: readonly string[], turn: Machine, coturn: Coturn) {
    this.lab = lab;
    this.#registrar = registrar;
    this.#turn = turn;
    this.#coturn = coturn;
  }

  static async open(options: LabOptions = {}): Promise<Trial> {
    const lab = await Lab.open(options);
    const { host } = lab.site("public");
    const coturn = Coturn.start(["--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "lab"], {
      addresses: host.addresses,
      relays: host.addresses,
      ports: TURN_PORTS,
      spawn: (...args) => host.spawn(...args),
    });
    return new Trial(lab, await startRegistrar(lab), host, await coturn);
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

  async close(): Promise<void> {
    await this.#coturn.stop();
    await this.lab.close();
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
    const six = machine.address.includes(":");
    // All name one registrar; what the machine cannot reach comes last.
    const near = (url: string): number => (url.includes("[") === six ? 0 : 1);
    const registrar = this.#registrar.toSorted((a, b) => near(a) - near(b));
    const server = this.#turn.addresses.find((address) => address.includes(":") === six)!;
    const turn = { server, port: TURN_PORTS[0], secret: SECRET };
    const peer = await Peer.start(machine, { registrar, turn });
    await peer.listen(["udp-punch"]); // Known to the registrar, as peers are that have run for a while.
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

  /**
   * One dials the other and keeps the connection. Without the connectionInfo of a server that listens already there is a
   * new server, and routers have forgotten everybody.
   */
  async connect(words: readonly Word[] = ["udp-punch"], info?: ConnectionInfo): Promise<Outcome> {
    if (info) return this.one.peer.dial(info, words);
    for (const site of new Set([this.one.site, this.other.site])) site.forgetMappings();
    return this.one.peer.dial(await this.other.peer.listen(words), words);
  }

  /** Connects, sees bytes come back if that worked, and hangs up. */
  async meet(words?: readonly Word[], info?: ConnectionInfo): Promise<Outcome> {
    const outcome = await this.connect(words, info);
    if (outcome.transport !== undefined) {
      await this.one.peer.echo();
      await this.one.peer.hangUp();
    }
    return outcome;
  }
}
