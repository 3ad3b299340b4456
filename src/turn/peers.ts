import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Random } from "../contract/runtime.ts";
import type { AttributeDraft } from "../stun/attribute.ts";
import { CHANNEL_BIND, CHANNEL_NUMBER, CREATE_PERMISSION, XOR_PEER_ADDRESS } from "./attributes.ts";
import { CHANNEL_HEADER, channelOf, FIRST_CHANNEL, LAST_CHANNEL, writeChannelData } from "./channel-data.ts";
import type { Outcome, TurnFailure } from "./failure.ts";
import { encodeSend } from "./indications.ts";
import { type Lease, Leases } from "./leases.ts";
import type { TurnEvent } from "./options.ts";

/** RFC 8656 §9 and §12: how long permissions and channels last, and how long a channel's number must rest. */
const PERMISSION_LIFETIME: Millis = 300_000;
const CHANNEL_LIFETIME: Millis = 600_000;
const CHANNEL_REST: Millis = 300_000;
/** Chosen: more hosts than talk through one allocation, far fewer than a server can hold. */
const MAX_PERMISSIONS = 1024;
const MAX_CHANNELS = LAST_CHANNEL - FIRST_CHANNEL + 1;
/** Datagrams to a peer before it gets a channel: what has to prove itself first is sent fewer (chosen). */
const SENT_BEFORE_CHANNEL = 8;
/** Peers whose datagrams are counted; the longest known goes first (chosen). */
const MAX_COUNTED = 1024;
/** The port says nothing to CreatePermission (RFC 8656 §10.1), but 0 is no port. */
const ANY_PORT = 9;
/** ChannelData of a datagram that Ethernet carries; grows where it must. */
const USUAL_FRAME = 1504;

/** Whom the peers need. */
export interface PeersOwner {
  readonly random: Random;
  ask(
    method: number,
    attributes: readonly AttributeDraft[],
    settle: (outcome: Outcome, now: Instant) => void,
  ): void;
  emit(event: TurnEvent): void;
  onWork(): void;
}

interface Channel {
  readonly number: number;
  readonly remote: SocketAddress;
}

interface Peer {
  readonly remote: SocketAddress;
  readonly permission: Lease<string>;
  channel: Lease<Channel> | undefined;
  sent: number;
}

/** Who may send to an allocation, and who has a channel. A part of the engine, without verbs. */
export class Peers {
  readonly #owner: PeersOwner;
  readonly #permissions: Leases<string>;
  readonly #channels: Leases<Channel>;
  /** By address and port: those that were sent to lately. */
  readonly #peers = new Map<string, Peer>();
  /** By the number of their channel, which may have run out. */
  readonly #numbers = new Map<number, Peer>();
  #latest: Peer | undefined;
  #nextNumber = FIRST_CHANNEL;
  #buffer = new Uint8Array(USUAL_FRAME);

  constructor(owner: PeersOwner) {
    this.#owner = owner;
    this.#permissions = new Leases({
      lifetime: PERMISSION_LIFETIME,
      rest: 0,
      limit: MAX_PERMISSIONS,
      ask: (address, settle) =>
        owner.ask(CREATE_PERMISSION, [XOR_PEER_ADDRESS.of({ address, port: ANY_PORT })], settle),
      tell: (address, failure) =>
        owner.emit(failure ? { type: "denied", address, failure } : { type: "permitted", address }),
    });
    this.#channels = new Leases({
      lifetime: CHANNEL_LIFETIME,
      rest: CHANNEL_REST,
      limit: MAX_CHANNELS,
      ask: ({ number, remote }, settle) =>
        owner.ask(CHANNEL_BIND, [CHANNEL_NUMBER.of(number), XOR_PEER_ADDRESS.of(remote)], settle),
      // Without a channel datagrams go as indications.
      tell: () => {},
    });
  }

  permit(address: string, now: Instant): void {
    const lease = this.#permissions.get(address);
    if (lease?.open) {
      this.#use(this.#permissions, lease, now);
      this.#owner.emit({ type: "permitted", address });
    } else if (!lease && !this.#permissions.add(address, address, now)) {
      this.#owner.emit({ type: "denied", address, failure: { reason: "busy" } });
    }
  }

  /** The frame that carries a datagram there; undefined if the peer has no permission. */
  frame(data: Uint8Array, remote: SocketAddress, now: Instant): Uint8Array | undefined {
    const latest = this.#latest;
    const peer = remote === latest?.remote && latest.permission.open ? latest : this.#peerAt(remote);
    if (!peer?.permission.open) return undefined;
    this.#latest = peer;
    this.#use(this.#permissions, peer.permission, now);
    const { channel } = peer;
    if (channel) this.#use(this.#channels, channel, now);
    else if (++peer.sent === SENT_BEFORE_CHANNEL) this.#bind(peer, now);
    if (!channel?.open) return encodeSend(this.#owner.random, data, remote);
    const size = CHANNEL_HEADER + data.length;
    if (size > this.#buffer.length) this.#buffer = new Uint8Array(size);
    return writeChannelData(this.#buffer, channel.subject.number, data);
  }

  /** The frame last given is still being read. */
  detachBuffer(): void {
    this.#buffer = new Uint8Array(this.#buffer.length);
  }

  /**
   * Whom ChannelData is from. A channel that was asked for counts, too: data may overtake the answer, and some servers' answers cannot
   * be believed.
   */
  peerOf(frame: Uint8Array, now: Instant): SocketAddress | undefined {
    const peer = this.#numbers.get(channelOf(frame));
    if (!peer) return undefined;
    this.#use(this.#permissions, peer.permission, now);
    if (peer.channel) this.#use(this.#channels, peer.channel, now);
    return peer.remote;
  }

  /** Whether a datagram from there may come; it counts as one that did. */
  admits({ address }: SocketAddress, now: Instant): boolean {
    const permission = this.#permissions.get(address);
    if (!permission?.open) return false;
    this.#use(this.#permissions, permission, now);
    return true;
  }

  handleTimeout(now: Instant): void {
    this.#permissions.handleTimeout(now);
    this.#channels.handleTimeout(now);
  }

  next(): Instant | undefined {
    const [permission, channel] = [this.#permissions.next(), this.#channels.next()];
    return permission === undefined || (channel !== undefined && channel < permission) ? channel : permission;
  }

  /** Forgets all; those who wait for a permission are told why. */
  clear(failure: TurnFailure): void {
    this.#permissions.clear(failure);
    this.#channels.clear(failure);
    this.#peers.clear();
    this.#numbers.clear();
    this.#latest = undefined;
  }

  #use<Subject>(leases: Leases<Subject>, lease: Lease<Subject>, now: Instant): void {
    if (!lease.used && leases.use(lease, now)) this.#owner.onWork();
  }

  #peerAt(remote: SocketAddress): Peer | undefined {
    const key = keyOf(remote);
    const known = this.#peers.get(key);
    if (known?.permission.open) return known;
    const permission = this.#permissions.get(remote.address);
    if (!permission) return undefined;
    const peer = { remote, permission, channel: this.#channels.get(key), sent: 0 };
    if (peer.channel) this.#numbers.set(peer.channel.subject.number, peer);
    if (this.#peers.size >= MAX_COUNTED) this.#peers.delete(this.#peers.keys().next().value!);
    this.#peers.set(key, peer);
    return peer;
  }

  #bind(peer: Peer, now: Instant): void {
    const number = this.#freeNumber();
    if (number === undefined) return;
    const { remote } = peer;
    peer.channel = this.#channels.add(keyOf(remote), { number, remote }, now);
    this.#numbers.set(number, peer);
    this.#owner.onWork();
  }

  /** One that no channel has or had until lately. */
  #freeNumber(): number | undefined {
    for (let tries = 0; tries < MAX_CHANNELS; tries++) {
      const number = this.#nextNumber;
      this.#nextNumber = number === LAST_CHANNEL ? FIRST_CHANNEL : number + 1;
      const owner = this.#numbers.get(number);
      if (!owner || this.#channels.get(keyOf(owner.remote)) !== owner.channel) return number;
    }
    return undefined;
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
