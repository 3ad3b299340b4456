import { toHex } from "../../src/base/bytes.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { BindDatagram } from "../../src/host/local-sockets.ts";
import type { NatCandidate } from "../../src/nat/candidate.ts";
import { askedUser } from "../../src/nat/check.ts";
import { VIA_IPV4, VIA_IPV6 } from "../../src/nat/punch.ts";
import { decodeMessage, type ReceivedMessage } from "../../src/stun/message.ts";
import { connectionIdOf } from "../../src/utp/packet.ts";
import { type CheckReceiver, hostCandidates, PunchPort } from "./punch-port.ts";

/** Somebody to whom checks are addressed by name. */
export interface CheckSession {
  readonly user: string;
  /** Whether an answer with that transaction id, in hexadecimal, is theirs. */
  awaits(id: string): boolean;
  /** A check or an answer for them. True if it was theirs indeed. */
  receiveCheck(data: Uint8Array, remote: SocketAddress, via: number): boolean;
}

/** Somebody who wants to know where else a connection's packets come from. */
interface Watcher {
  suspect(remote: SocketAddress): void;
}

const WILDCARDS = [
  { via: VIA_IPV4, address: "0.0.0.0" },
  { via: VIA_IPV6, address: "::" },
] as const;

/**
 * The sockets of one listener or one dial: one for each family this host has. They are bound to the wildcard address, so that they
 * survive a change of network; checks find out which of our addresses answers.
 */
export class PunchPorts implements CheckReceiver {
  readonly bind: BindDatagram;
  /** Called with each port that joins later. */
  onPort: ((port: PunchPort) => void) | undefined;
  readonly #runtime: Runtime;
  readonly #ports: Map<number, PunchPort>;
  readonly #sessions = new Map<string, CheckSession>();
  /** Those of them that wait for answers: few, however many connections there are. */
  readonly #asking = new Set<CheckSession>();
  readonly #watchers = new Map<string, Watcher>();
  #vias = WILDCARDS.length;
  #kept = false;

  private constructor(
    bind: BindDatagram,
    runtime: Runtime,
    make: (receiver: CheckReceiver) => readonly PunchPort[],
  ) {
    const ports = make(this);
    this.bind = bind;
    this.#ports = new Map(ports.map((port) => [port.via, port]));
    this.#runtime = runtime;
  }

  /** Rejects with the system's error if there is no family at all. */
  static async open(bind: BindDatagram, bufferSize: number, runtime: Runtime): Promise<PunchPorts> {
    const sockets = await Promise.allSettled(
      WILDCARDS.map(async ({ via, address }) => ({ via, socket: await bind({ address, bufferSize }) })),
    );
    const bound = sockets.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const used = bound.filter(({ socket }) => hostCandidates(socket, runtime).length > 0);
    for (const { socket } of bound.filter((one) => !used.includes(one))) socket.close();
    const failed = sockets.find((result) => result.status === "rejected");
    if (used.length === 0 && failed) throw failed.reason;
    const bindMore: BindDatagram = (options) => bind({ ...options, bufferSize });
    return new PunchPorts(bindMore, runtime, (receiver) =>
      used.map(({ via, socket }) => new PunchPort(socket, via, runtime, receiver)),
    );
  }

  [Symbol.iterator](): IterableIterator<PunchPort> {
    return this.#ports.values();
  }

  /** Own addresses, as they are now. */
  get candidates(): readonly NatCandidate[] {
    const usual = WILDCARDS.flatMap(({ via }) => this.find(via) ?? []);
    return usual.flatMap(({ socket }) => hostCandidates(socket, this.#runtime));
  }

  find(via: number): PunchPort | undefined {
    return this.#ports.get(via);
  }

  /** A number for another socket. */
  nextVia(): number {
    return this.#vias++;
  }

  /** A socket that was opened for one punch turned out to be its way. */
  add(port: PunchPort): void {
    this.#ports.set(port.via, port);
    if (this.#kept) port.shared.keep(true);
    this.onPort?.(port);
  }

  /** The socket closes with its last connection. */
  retirePort(port: PunchPort): Promise<void> {
    return port.shared.retire();
  }

  portClosed(via: number): void {
    this.#ports.delete(via);
  }

  get families(): readonly (4 | 6)[] {
    return WILDCARDS.filter(({ via }) => this.#ports.has(via)).map(({ via }) => (via === VIA_IPV6 ? 6 : 4));
  }

  /** Where servers are asked from. */
  get ipv4(): PunchPort | undefined {
    return this.find(VIA_IPV4);
  }

  get ipv6(): PunchPort | undefined {
    return this.find(VIA_IPV6);
  }

  join(session: CheckSession): void {
    this.#sessions.set(session.user, session);
  }

  leave(session: CheckSession): void {
    if (this.#sessions.get(session.user) === session) this.#sessions.delete(session.user);
    this.#asking.delete(session);
  }

  /** Whether the session waits for answers to its own checks. */
  expectAnswers(session: CheckSession, asking: boolean): void {
    if (asking) this.#asking.add(session);
    else this.#asking.delete(session);
  }

  /** Tells of packets with that connection id that come to the socket from where nobody was admitted. */
  watch(via: number, id: number, watcher: Watcher): void {
    this.#watchers.set(`${via} ${id}`, watcher);
  }

  unwatch(via: number, id: number, watcher: Watcher): void {
    const key = `${via} ${id}`;
    if (this.#watchers.get(key) === watcher) this.#watchers.delete(key);
  }

  receiveStray(data: Uint8Array, remote: SocketAddress, via: number): void {
    this.#watchers.get(`${via} ${connectionIdOf(data)}`)?.suspect(remote);
  }

  receiveCheck(data: Uint8Array, remote: SocketAddress, via: number): boolean {
    const message = decodeMessage(data);
    if (typeof message === "string") return false;
    const session = message.class === "request" ? this.#askedBy(message) : this.#askerOf(message);
    return session?.receiveCheck(data, remote, via) ?? false;
  }

  /** Whom a request is for. */
  #askedBy(request: ReceivedMessage): CheckSession | undefined {
    const user = askedUser(request);
    return user === undefined ? undefined : this.#sessions.get(user);
  }

  /** Who waits for an answer. */
  #askerOf({ transactionId }: ReceivedMessage): CheckSession | undefined {
    const id = toHex(transactionId);
    for (const session of this.#asking) if (session.awaits(id)) return session;
    return undefined;
  }

  /** Whether they keep the process alive. */
  keep(referenced: boolean): void {
    this.#kept = referenced;
    for (const { shared } of this) shared.keep(referenced);
  }

  /** Nobody punches here any more: each socket closes with its last connection. */
  async retire(): Promise<void> {
    await Promise.all([...this].map((port) => this.retirePort(port)));
  }
}
