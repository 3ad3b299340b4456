import { valueError } from "../base/argument.ts";
import { EMPTY } from "../base/bytes.ts";
import { canonicalIp } from "../base/ip.ts";
import { random16 } from "../base/random.ts";
import { serialAdd } from "../base/serial.ts";
import type { Instant } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { DatagramEngine } from "../contract/engine.ts";
import { UtpConnection } from "./connection.ts";
import type { Acceptance, ConnectionIdentity, ConnectionOwner, Farewell } from "./connection-parts.ts";
import { ConnectionTable } from "./connection-table.ts";
import { makeController } from "./controllers.ts";
import { Dial } from "./dial.ts";
import { acceptFirstFlight, acceptProof, firstFlightOf, type HalfOpen, HalfOpens } from "./half-open.ts";
import type { ConnectionOptions, EndpointOptions, UtpEvent, UtpEventType } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { decodePacket, HEADER_SIZE, Packet, RESET, STATE, SYN } from "./packet.ts";
import { micros } from "./packet-writer.ts";
import { Scratch } from "./scratch.ts";
import { type ConnectionSettings, checkConnectionOptions, connectionSettings, type Way } from "./settings.ts";
import { addressKey, Strangers } from "./strangers.ts";
import { TimerHeap } from "./timer-heap.ts";
import { TransmitQueue } from "./transmit-queue.ts";
import { HANDSHAKE_EXTENSION } from "./validation.ts";
import { firstWindow } from "./window-tuning.ts";

/** Header and the extensions a packet with the longest metadata has. */
const MAX_OVERHEAD = 300;
/** Size of an accepting STATE with the handshake extension. */
const EXTENDED_ANSWER = HEADER_SIZE + HANDSHAKE_EXTENSION;
/** Payload of most paths; bulk data in larger packets makes the scratch buffer grow. */
const USUAL_PAYLOAD = 1452;
/** The largest UDP payload of IPv4. */
const MAX_DATAGRAM = 65_507;
/** libutp answers no SYN with this id, as the next one would be 65536 to it. */
const UNUSABLE_ID = 65_535;
/** Unread bytes per connection unless told (chosen: half of Linux's stock buffer counted in datagrams). */
const RECEIVE_WINDOW = 64 * 1024;

/** Many uTP connections on one UDP port, told apart by remote address and connection id. */
export class UtpEndpoint implements DatagramEngine<UtpEvent> {
  /** More accepted connections than this at once are refused. */
  maxConnections = Number.POSITIVE_INFINITY;
  /** Datagrams dropped, by reason. */
  readonly drops = new Map<string, number>();
  readonly #options: EndpointOptions;
  readonly #table = new ConnectionTable();
  readonly #timers = new TimerHeap<UtpConnection>();
  readonly #queue = new TransmitQueue();
  readonly #outbox = new Outbox();
  readonly #strangers = new Strangers(this.#outbox);
  readonly #halfOpens = new HalfOpens();
  readonly #scratch = new Scratch(USUAL_PAYLOAD + MAX_OVERHEAD);
  readonly #packet = new Packet();
  readonly #datagram: { data: Uint8Array; remote: SocketAddress };
  readonly #owner: ConnectionOwner = {
    touch: (connection) => this.#touch(connection),
    emit: (connection, type, error) => this.#emit(connection, type, error),
    release: (connection, farewell, seq, ack) => this.#release(connection, farewell, seq, ack),
  };
  #listening: ConnectionOptions | undefined;
  /** Of the last connection: the next one is often like it. */
  #lastSettings: { options: ConnectionOptions; way: Way; settings: ConnectionSettings } | undefined;
  #accepted = 0;
  #events: UtpEvent[] = [];
  #nextEvent = 0;
  /** The host knows that there is work. */
  #told = false;
  #now: Instant = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#datagram = { data: EMPTY, remote: { address: "0.0.0.0", port: 0 } };
  }

  /** Connections that still need datagrams. */
  get size(): number {
    return this.#table.size;
  }

  /** The system could not send to `remote`, or was told that nobody is there; `code` is an errno code. */
  sendFailed(code: string, remote: SocketAddress, now: Instant): void {
    for (const connection of this.#table.to(remote)) connection.sendFailed(code, now);
  }

  /** Somebody answers at `remote` now: dials that wait there repeat their SYN at once. */
  hurry(remote: SocketAddress): void {
    for (const connection of this.#table.to(remote)) connection.hurry();
  }

  /**
   * The peer has proved, by other means than uTP has, that it is at `remote` now: packets go there and come from there. False if
   * another connection is in the way, or this one is over.
   */
  move(connection: UtpConnection, remote: SocketAddress): boolean {
    if (this.#table.find(connection.remote, connection.receiveId) !== connection) return false;
    if (!this.#table.move(connection, remote)) return false;
    connection.moved();
    return true;
  }

  connections(): IterableIterator<UtpConnection> {
    return this.#table[Symbol.iterator]();
  }

  /** Dials; the SYN leaves with the next `pollTransmit`. Throws ERR_INVALID_ARG_VALUE if `remote` is no literal. */
  connect(remote: SocketAddress, options: ConnectionOptions = {}): UtpConnection {
    const address = canonicalIp(remote.address);
    if (address === undefined) throw valueError("remote.address", "must be an IP literal", remote.address);
    const settings = this.#settings(options, address);
    const dial = new Dial({ data: options.data ?? EMPTY, meta: options.meta, ...settings });
    const receiveId = this.#freeId({ address, port: remote.port });
    const identity = {
      remote: { address, port: remote.port },
      receiveId,
      sendId: serialAdd(receiveId, 1),
      seq: random16(this.#options.random),
    };
    const connection = this.#open(identity, settings, dial, undefined);
    if (options.data) connection.write(options.data, options.meta);
    this.#touch(connection);
    return connection;
  }

  #settings(options: ConnectionOptions, address: string): ConnectionSettings {
    const { isOwnHost, maxDatagram = MAX_DATAGRAM } = this.#options;
    const ownHost = isOwnHost?.(address) ?? false;
    const last = this.#lastSettings;
    if (last?.options === options && last.way.address === address && last.way.ownHost === ownHost) {
      return last.settings;
    }
    const way = { address, ownHost, maxDatagram };
    const settings = connectionSettings(options, way);
    this.#lastSettings = { options, way, settings };
    return settings;
  }

  #freeId(remote: SocketAddress): number {
    for (let tries = 0; tries < 65_536; tries++) {
      const id = random16(this.#options.random);
      if (id === UNUSABLE_ID) continue;
      // The neighbours too: the peer's half of a connection has the next id, and the peer may be ourselves.
      if (![-1, 0, 1].some((step) => this.#table.find(remote, serialAdd(id, step)))) return id;
    }
    throw valueError("remote", "has no connection id left", `${remote.address}:${remote.port}`);
  }

  #open(
    identity: ConnectionIdentity,
    settings: ConnectionSettings,
    dial: Dial | undefined,
    acceptance: Acceptance | undefined,
  ): UtpConnection {
    const { payload } = settings;
    const controller =
      makeController(settings.congestion, { payload }) ?? makeController("ledbat", { payload })!;
    this.#strangers.forget(identity.remote, identity.receiveId);
    const { receiveWindow = RECEIVE_WINDOW } = this.#options;
    const parts = { identity, settings, controller, receiveWindow, owner: this.#owner, now: this.#now };
    const connection = new UtpConnection(parts, dial, acceptance);
    this.#table.add(connection);
    return connection;
  }

  /** Accept connections, which get these options. A second call replaces the options. */
  listen(options: ConnectionOptions = {}): void {
    checkConnectionOptions(options);
    this.#listening = options;
  }

  /** Refuse new connections (RESET); those that exist live on. */
  stopListening(): void {
    this.#listening = undefined;
  }

  handleDatagram({ data, remote }: Datagram, now: Instant): void {
    this.#now = now;
    const packet = this.#packet;
    const reason = decodePacket(data, packet) ?? this.#dispatch(packet, remote, now);
    if (reason !== undefined) this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  #dispatch(packet: Packet, remote: SocketAddress, now: Instant): string | undefined {
    const { type, connectionId } = packet;
    if (type === SYN) return this.#receiveSyn(packet, remote, now);
    if (type === RESET) return this.#receiveReset(packet, remote, now);
    const connection = this.#table.find(remote, connectionId) ?? this.#promote(packet, remote, now);
    return connection ? connection.receive(packet, now) : this.#answerStranger(packet, remote, now);
  }

  #answerStranger(packet: Packet, remote: SocketAddress, now: Instant): string {
    const reason = this.#strangers.answer(packet, remote, now);
    this.#tellWork();
    return reason;
  }

  /** A RESET has the id of packets to us, or of those from us if its sender knows nothing of the connection. */
  #receiveReset(packet: Packet, remote: SocketAddress, now: Instant): string | undefined {
    const { connectionId } = packet;
    let reason: string | undefined = "stranger-reset";
    for (const step of [0, 1, -1]) {
      const connection = this.#table.find(remote, serialAdd(connectionId, step));
      if (!connection || (step !== 0 && connection.sendId !== connectionId)) continue;
      reason = connection.receive(packet, now);
      if (reason === undefined) return undefined;
    }
    for (const step of [0, 1]) {
      const key = addressKey(remote, serialAdd(connectionId, step));
      if (this.#halfOpens.get(key, now)?.synSeq !== serialAdd(packet.seq, -1)) continue;
      this.#halfOpens.delete(key);
      return undefined;
    }
    return reason;
  }

  #receiveSyn(packet: Packet, remote: SocketAddress, now: Instant): string | undefined {
    const receiveId = serialAdd(packet.connectionId, 1);
    const known = this.#table.find(remote, receiveId);
    this.#tellWork();
    if (known) {
      const reason = known.receive(packet, now);
      // Somebody else's dial with an id that is taken: its dialler is to try another one, not to wait.
      if (reason === "foreign-syn") this.#strangers.reset(packet, remote, now);
      return reason;
    }
    if (!this.#listening || this.#accepted >= this.maxConnections) {
      return this.#strangers.reset(packet, remote, now);
    }
    const flight = firstFlightOf(packet);
    const key = addressKey(remote, receiveId);
    const waiting = this.#halfOpens.get(key, now);
    if (flight && !waiting && this.#halfOpens.mayTakeFirstFlight(now)) {
      const seq = random16(this.#options.random);
      const connection = this.#accept(remote, receiveId, seq, acceptFirstFlight(packet, flight));
      this.#halfOpens.tookFirstFlight(connection);
      return undefined;
    }
    // Whoever cannot be told that its data was not taken is not answered at all.
    if (flight && packet.handshakeStart === 0) return "busy";
    const halfOpen =
      waiting?.synSeq === packet.seq
        ? waiting
        : this.#halfOpens.open(key, packet, random16(this.#options.random), now);
    return this.#answerSyn(halfOpen, packet, remote, now);
  }

  #answerSyn(halfOpen: HalfOpen, packet: Packet, remote: SocketAddress, now: Instant): string | undefined {
    halfOpen.answers++;
    halfOpen.answeredAt = now;
    halfOpen.credit += packet.data.length;
    const answer = {
      type: STATE,
      connectionId: packet.connectionId,
      seq: halfOpen.seq,
      ack: packet.seq,
      window: firstWindow(this.#options.receiveWindow ?? RECEIVE_WINDOW),
      timestampDifference: (micros(now) - packet.timestamp) >>> 0,
      handshake: halfOpen.extended && halfOpen.credit >= EXTENDED_ANSWER,
    };
    const size = this.#outbox.push(remote, answer, now);
    if (size === 0) return "busy";
    halfOpen.credit -= size;
    return undefined;
  }

  /** Makes a connection of a half-open one, if the packet proves its sender's address. */
  #promote(packet: Packet, remote: SocketAddress, now: Instant): UtpConnection | undefined {
    const key = addressKey(remote, packet.connectionId);
    const halfOpen = this.#halfOpens.get(key, now);
    const acceptance = halfOpen && acceptProof(halfOpen, packet, now);
    if (!acceptance || !this.#listening || this.#accepted >= this.maxConnections) return undefined;
    this.#halfOpens.delete(key);
    return this.#accept(remote, packet.connectionId, halfOpen.seq, acceptance);
  }

  #accept(remote: SocketAddress, receiveId: number, seq: number, acceptance: Acceptance): UtpConnection {
    const { address, port } = remote;
    const identity = { remote: { address, port }, receiveId, sendId: serialAdd(receiveId, -1), seq };
    this.#accepted++;
    const settings = this.#settings(this.#listening!, address);
    return this.#open(identity, settings, undefined, acceptance);
  }

  handleTimeout(now: Instant): void {
    this.#now = now;
    for (let due = this.#timers.takeDue(now); due; due = this.#timers.takeDue(now)) {
      const at = due.deadline(now);
      if (at <= now) due.expire(now);
      else this.#timers.arm(due, at);
    }
  }

  /** The datagram is valid until the next call of any verb. */
  pollTransmit(now: Instant): Datagram | undefined {
    this.#now = now;
    const answer = this.#outbox.shift();
    if (answer) return answer;
    for (let connection = this.#queue.next(); connection; connection = this.#queue.next()) {
      const needed = connection.largestPacket + MAX_OVERHEAD;
      if (needed > this.#scratch.bytes.length) this.#scratch.renew(needed);
      const size = connection.transmit(now, this.#scratch.bytes);
      if (size > 0) {
        this.#datagram.data = this.#scratch.view(size);
        this.#datagram.remote = connection.remote;
        return this.#datagram;
      }
      this.#queue.shift();
      this.#timers.arm(connection, connection.deadline(now));
    }
    this.#rest();
    return undefined;
  }

  /** The last datagram's buffer now belongs to the caller for good (the system still reads it). */
  detachBuffer(): void {
    this.#scratch.renew();
  }

  pollEvent(): UtpEvent | undefined {
    const event = this.#events[this.#nextEvent++];
    if (event) return event;
    this.#events = [];
    this.#nextEvent = 0;
    this.#rest();
    return undefined;
  }

  /** Whether `pollEvent` has something. */
  get hasEvents(): boolean {
    return this.#nextEvent < this.#events.length;
  }

  /** Whether anybody who may transmit has bytes to say, and not acknowledgements alone. */
  get speaking(): boolean {
    return this.#queue.some((connection) => connection.largestPacket > 0);
  }

  pollTimeout(): Instant | undefined {
    return this.#timers.next;
  }

  #touch(connection: UtpConnection): void {
    this.#queue.add(connection);
    this.#tellWork();
  }

  #emit(connection: UtpConnection, type: UtpEventType, error: Error | undefined): void {
    if (type === "closed" && !connection.initiated) this.#accepted--;
    this.#events.push(error ? { type, connection, error } : { type, connection });
    this.#tellWork();
  }

  #tellWork(): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.onWork?.();
  }

  /** Everything is drained: the next change is news again. */
  #rest(): void {
    if (this.#queue.empty && this.#outbox.empty && this.#events.length === this.#nextEvent)
      this.#told = false;
  }

  #release(connection: UtpConnection, farewell: Farewell, seq: number, ack: number): void {
    this.#table.remove(connection);
    this.#timers.remove(connection);
    const { remote, receiveId, sendId } = connection;
    const remnant = { sendId, seq, ack };
    if (farewell === "silence") return;
    if (farewell !== "reset") this.#strangers.remember(remote, receiveId, remnant, this.#now);
    if (farewell === "linger") return;
    if (farewell === "last-ack") this.#strangers.acknowledge(remote, remnant, this.#now);
    else this.#outbox.push(remote, { type: RESET, connectionId: sendId, seq, ack }, this.#now, true);
    this.#tellWork();
  }

  /** The port is about to close: says again what may be lost and nobody will repeat. Then transmit. */
  bidFarewell(now: Instant): void {
    this.#strangers.repeatFarewells(now);
  }
}
