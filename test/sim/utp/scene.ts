import assert from "node:assert/strict";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { Millis } from "../../../src/contract/clock.ts";
import type { Random } from "../../../src/contract/runtime.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { CONTROLLER_NAMES } from "../../../src/utp/controllers.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import type { ConnectionOptions, UtpEvent } from "../../../src/utp/options.ts";
import { decodePacket, Packet } from "../../../src/utp/packet.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { Pair, type Side, type SideName } from "../../kit/pair.ts";
import type { Trace } from "../../kit/trace.ts";
import { EAGER, Party, type Script, type Surroundings } from "./party.ts";

/** Nothing may take longer: pauses of an hour, and all time-outs. */
const LIMIT: Millis = 3 * 3_600_000;

const TYPES = ["DATA", "FIN", "STATE", "RESET", "SYN"] as const;

/** What a scene is played with. */
export interface SceneOptions {
  readonly seed: number;
  readonly trace: Trace;
  readonly link?: LinkOptions | { readonly ab: LinkOptions; readonly ba: LinkOptions };
  /** Options of both endpoints' connections; the congestion controller goes by the seed unless it is among them. */
  readonly options?: ConnectionOptions;
  readonly receiveWindow?: number;
  /** Where the endpoints take ids and sequence numbers from; seeded if absent. */
  readonly random?: (side: SideName) => Random;
}

/** One dial and what both applications do. */
export interface DialScript {
  readonly from?: SideName;
  /** Ms from now. */
  readonly at?: Millis;
  readonly dialler?: Partial<Script>;
  readonly acceptor?: Partial<Script>;
  readonly options?: ConnectionOptions;
  /** Bytes of the dialler's stream that go into the SYN. */
  readonly firstFlight?: number;
}

/** Both ends of a connection. */
export interface Dialogue {
  readonly dialler: Party;
  readonly acceptor: Party;
}

/** Two endpoints with applications on them, which talk over a pair of links. */
export class Scene {
  readonly pair: Pair<UtpEndpoint, UtpEndpoint>;
  readonly random: SeededRandom;
  /** The dialler and the acceptor of each dial. */
  readonly dialogues: Dialogue[] = [];
  readonly #options: ConnectionOptions;
  /** Acceptors by side and the id that the dialler chose. */
  readonly #awaited = new Map<string, Party>();
  readonly #refused = new Set<UtpConnection>();

  constructor(scene: SceneOptions) {
    const { seed, trace, link = {}, receiveWindow } = scene;
    this.#options = {
      congestion: CONTROLLER_NAMES[(seed >> 1) % CONTROLLER_NAMES.length]!,
      ...scene.options,
    };
    this.random = seededRandom(seed);
    const endpoint = (side: SideName) => {
      const random = scene.random?.(side) ?? seededRandom(seed * 4 + (side === "a" ? 1 : 2));
      const engine = new UtpEndpoint({ random, ...(receiveWindow === undefined ? {} : { receiveWindow }) });
      engine.listen(this.#options);
      return engine;
    };
    this.pair = new Pair({ a: endpoint("a"), b: endpoint("b"), seed, trace, link, describe: describePacket });
    for (const name of ["a", "b"] as const) {
      this.pair[name].onEvent = (event) => this.#hear(this.pair[name], event);
    }
  }

  /** Plans a dial; gives the two parties. */
  dial(script: DialScript): Dialogue {
    const { from = "a", at = 0 } = script;
    const to = from === "a" ? "b" : "a";
    const id = 2 * this.dialogues.length;
    const party = (name: string, side: SideName, which: number, part: Partial<Script> | undefined) =>
      new Party(name, id + which, { ...EAGER, ...part }, this.#around(side));
    const dialler = party(`dialler ${id / 2} on ${from}`, from, 0, script.dialler);
    const acceptor = party(`acceptor ${id / 2} on ${to}`, to, 1, script.acceptor);
    dialler.peer = acceptor;
    acceptor.peer = dialler;
    this.dialogues.push({ dialler, acceptor });
    this.pair.clock.setTimer(this.pair.clock.now() + at, () =>
      this.#connect(from, dialler, acceptor, script),
    );
    return { dialler, acceptor };
  }

  #around(side: SideName): Surroundings {
    const call = <Result>(action: () => Result): Result => this.pair[side].call(action);
    return { clock: this.pair.clock, random: this.random, call };
  }

  #connect(from: SideName, dialler: Party, acceptor: Party, script: DialScript): void {
    const to = this.pair[from === "a" ? "b" : "a"];
    const { firstFlight = 0 } = script;
    const options = { ...this.#options, ...script.options };
    const data = firstFlight > 0 ? { data: dialler.firstFlight(firstFlight) } : {};
    this.pair[from].call((engine) => {
      const connection = engine.connect(to.address, { ...options, ...data });
      this.#awaited.set(`${to.name} ${connection.receiveId}`, acceptor);
      dialler.connection = connection;
    });
    dialler.start(dialler.connection!);
  }

  #hear(side: Side<UtpEndpoint>, event: UtpEvent): void {
    const { connection, type } = event;
    if (type === "accepted") {
      const key = `${side.name} ${connection.sendId}`;
      const party = this.#awaited.get(key);
      assert.ok(party, `nobody waits for id ${connection.sendId}`);
      if (party.closed) {
        side.call(() => this.#refuse(connection));
        return;
      }
      party.connection = connection;
      party.onEvent(event);
      party.start(connection);
    } else if (!this.#refused.has(connection)) this.#partyOf(connection).onEvent(event);
  }

  /** An acceptor left before it had the dialler's proof, and the dial came again. */
  #refuse(connection: UtpConnection): void {
    this.#refused.add(connection);
    connection.abort();
  }

  #partyOf(connection: unknown): Party {
    const found = this.parties.find((party) => party.connection === connection);
    assert.ok(found, "an event of a connection that nobody has");
    return found;
  }

  get parties(): Party[] {
    return this.dialogues.flatMap(({ dialler, acceptor }) => [dialler, acceptor]);
  }

  /** Plays until nothing is left to happen, and checks what must hold whatever has happened. */
  play(): void {
    this.pair.runUntilIdle(LIMIT);
    for (const name of ["a", "b"] as const) {
      const { engine } = this.pair[name];
      assert.equal(engine.size, 0, `${name} keeps connections`);
      assert.equal(engine.hasEvents, false, `${name} keeps events`);
      assert.equal(engine.pollTimeout(), undefined, `${name} keeps a timer`);
    }
    for (const party of this.parties) check(party);
  }

  /**
   * `play`, and all that was written was read. Returns how many ended in an error all the same, since a whole handshake was
   * lost, or every acknowledgement of the last bytes: no protocol can help that, but it must be rare.
   */
  playClean(): number {
    this.play();
    return this.dialogues.map(outcome).reduce((sum, errors) => sum + errors, 0);
  }
}

/** How many of a dialogue's sides had bad luck at the very end; fails if bytes were. */
export function outcome({ dialler, acceptor }: Dialogue): number {
  if (!acceptor.connection?.validated) {
    assert.ok(dialler.closed?.error, `${dialler.name} talked to nobody`);
    return 1;
  }
  for (const { name, read, peer, closed } of [dialler, acceptor]) {
    assert.equal(read, peer!.script.bytes, `${name} has not read everything: ${closed?.error}`);
  }
  const { error } = (dialler.clean ? acceptor : dialler).closed!;
  assert.ok(dialler.clean || acceptor.clean, `${dialler.name}: ${error}`);
  return error ? 1 : 0;
}

/** A connection that ends in good order has done its work: no silent loss. */
export function check(party: Party): void {
  const { connection, closed, name, peer } = party;
  if (!connection) return;
  assert.ok(closed, `${name} is stuck: ${party.heard}`);
  if (!party.clean) return;
  assert.ok(party.heard.includes("end"), `${name} closes without an end`);
  assert.equal(party.read, peer!.written, `${name} has not read everything`);
  if (!peer!.left) assert.equal(peer!.read, party.script.bytes, `${name} was not read by the end`);
}

const packet = new Packet();

/** A packet in words, for the trace. */
export function describePacket(data: Uint8Array): string {
  const defect = decodePacket(data, packet);
  if (defect) return `${data.length} B (${defect})`;
  const { type, connectionId, seq, ack, window, payloadLength, sackLength } = packet;
  const sack = sackLength > 0 ? ` sack ${sackLength}` : "";
  const own = packet.handshakeStart > 0 ? ` handshake ${packet.handshakeFlags}` : "";
  const fragment = packet.fragmentStart > 0 ? " fragment" : "";
  const probe = packet.probeStart > 0 ? " probe" : packet.probeAnswerStart > 0 ? " probe answer" : "";
  return `${TYPES[type]} id ${connectionId} seq ${seq} ack ${ack} window ${window} ${payloadLength} B${sack}${own}${fragment}${probe}`;
}
