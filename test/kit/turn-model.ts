import type { DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { nodeCrypto as crypto } from "../../src/platform/node-crypto.ts";
import { ALTERNATE_SERVER, XOR_MAPPED_ADDRESS } from "../../src/stun/addresses.ts";
import { type AttributeDraft, makeMessage } from "../../src/stun/attribute.ts";
import { ERROR_CODE } from "../../src/stun/errors.ts";
import { isChannelData } from "../../src/stun/framing.ts";
import { checkIntegrity, type IntegrityKey, sealMessage } from "../../src/stun/integrity.ts";
import { decodeMessage, encodeMessage, type ReceivedMessage } from "../../src/stun/message.ts";
import { longTermKey } from "../../src/stun/secrets.ts";
import { NONCE, REALM } from "../../src/stun/texts.ts";
import {
  ALLOCATE,
  CHANNEL_BIND,
  CHANNEL_NUMBER,
  CREATE_PERMISSION,
  DATA,
  DATA_METHOD,
  ICMP,
  LIFETIME,
  REFRESH,
  REQUESTED_ADDRESS_FAMILY,
  SEND_METHOD,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
} from "../../src/turn/attributes.ts";
import { channelOf, dataOf, writeChannelData } from "../../src/turn/channel-data.ts";

export const MODEL_USER = { username: "us", password: "secret" } as const;
const REALM_NAME = "model";
const INTEGRITY: IntegrityKey = {
  crypto,
  algorithm: "sha1",
  key: longTermKey(crypto, "md5", MODEL_USER.username, REALM_NAME, MODEL_USER.password),
};

interface ModelAllocation {
  readonly client: SocketAddress;
  readonly socket: DatagramSocket;
  until: number;
  /** By IP address, until when. */
  readonly permissions: Map<string, number>;
  readonly channels: Map<number, { readonly remote: SocketAddress; readonly until: number }>;
  /** Who allocated, for retransmissions. */
  readonly transaction: string;
}

/** One request that was answered. */
export interface ModelRecord {
  readonly at: number;
  readonly method: number;
  /** 0: granted. */
  readonly status: number;
  readonly client: SocketAddress;
}

/** What a scripted server answers; undefined: as it would by itself. */
export type Script = (
  method: number,
) => { status: number; alternate?: SocketAddress } | "silence" | undefined;

/** A TURN server over UDP on a simulated host, exact to the millisecond: what has run out works no longer. */
export class TurnModel {
  /** Seconds an allocation gets. */
  lifetime = 600;
  nonce = "first";
  script: Script = () => undefined;
  readonly records: ModelRecord[] = [];
  readonly allocations = new Map<string, ModelAllocation>();
  /** Datagrams that had no permission, no channel or no allocation. */
  dropped = 0;
  readonly #runtime: Runtime;
  readonly #socket: DatagramSocket;
  readonly #relayAddress: string;

  private constructor(runtime: Runtime, socket: DatagramSocket, relayAddress: string) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#relayAddress = relayAddress;
    socket.attach({ onDatagram: (data, remote) => this.#receive(data, remote) });
  }

  static async start(
    runtime: Runtime,
    address: string,
    relayAddress = address,
    port = 3478,
  ): Promise<TurnModel> {
    return new TurnModel(runtime, await runtime.bindDatagram!({ address, port }), relayAddress);
  }

  get local(): SocketAddress {
    return this.#socket.local;
  }

  /** As a server that was restarted. */
  forget(): void {
    for (const { socket } of this.allocations.values()) socket.close();
    this.allocations.clear();
  }

  stop(): void {
    this.forget();
    this.#socket.close();
  }

  /** Answers of that status to that method. */
  count(method: number, status = 0): number {
    return this.records.filter((record) => record.method === method && record.status === status).length;
  }

  #now(): number {
    return this.#runtime.clock.now();
  }

  #of(client: SocketAddress): ModelAllocation | undefined {
    const allocation = this.allocations.get(keyOf(client));
    if (!allocation || allocation.until > this.#now()) return allocation;
    allocation.socket.close();
    this.allocations.delete(keyOf(client));
    return undefined;
  }

  #receive(bytes: Uint8Array, client: SocketAddress): void {
    if (isChannelData(bytes)) {
      const channel = this.#of(client)?.channels.get(channelOf(bytes));
      this.#relay(client, channel && channel.until > this.#now() ? channel.remote : undefined, dataOf(bytes));
      return;
    }
    const message = decodeMessage(bytes);
    if (typeof message === "string") this.dropped++;
    else if (message.class === "request") void this.#answer(message, client);
    else if (message.method === SEND_METHOD)
      this.#relay(client, XOR_PEER_ADDRESS.in(message), DATA.in(message));
  }

  #relay(client: SocketAddress, remote: SocketAddress | undefined, data: Uint8Array | undefined): void {
    const allocation = this.#of(client);
    const permitted = remote && (allocation?.permissions.get(remote.address) ?? 0) > this.#now();
    if (allocation && permitted && data) allocation.socket.send(data, remote);
    else this.dropped++;
  }

  async #answer(message: ReceivedMessage, client: SocketAddress): Promise<void> {
    const { method } = message;
    const scripted = this.script(method);
    if (scripted === "silence") return;
    const known = checkIntegrity(message.bytes, INTEGRITY) === true;
    if (method === 1) this.#reply(message, client, [XOR_MAPPED_ADDRESS.of(client)]);
    else if (!known) this.#refuse(message, client, 401);
    else if (NONCE.in(message) !== this.nonce) this.#refuse(message, client, 438);
    else if (scripted) this.#refuse(message, client, scripted.status, scripted.alternate);
    else {
      const answer = await this.#grant(message, client);
      if (typeof answer === "number") this.#refuse(message, client, answer);
      else this.#reply(message, client, answer);
    }
  }

  async #grant(message: ReceivedMessage, client: SocketAddress): Promise<AttributeDraft[] | number> {
    if (message.method === ALLOCATE) return this.#allocate(message, client);
    const allocation = this.#of(client);
    if (!allocation) return 437;
    const peer = XOR_PEER_ADDRESS.in(message);
    if (message.method === REFRESH) return this.#refresh(allocation, LIFETIME.in(message));
    if (!peer || peer.address.includes(":") !== this.#relayAddress.includes(":")) return peer ? 443 : 400;
    allocation.permissions.set(peer.address, this.#now() + 300_000);
    if (message.method === CREATE_PERMISSION) return [];
    const number = CHANNEL_NUMBER.in(message);
    if (message.method !== CHANNEL_BIND || number === undefined) return 400;
    const taken = [...allocation.channels].some(
      ([other, { remote }]) => (keyOf(remote) === keyOf(peer)) !== (other === number),
    );
    if (taken) return 400;
    allocation.channels.set(number, { remote: peer, until: this.#now() + 600_000 });
    return [];
  }

  async #allocate(message: ReceivedMessage, client: SocketAddress): Promise<AttributeDraft[] | number> {
    const transaction = message.transactionId.join();
    const known = this.#of(client);
    if (known && known.transaction !== transaction) return 437;
    const family = REQUESTED_ADDRESS_FAMILY.in(message) ?? 4;
    if ((family === 6) !== this.#relayAddress.includes(":")) return 440;
    const socket = known?.socket ?? (await this.#runtime.bindDatagram!({ address: this.#relayAddress }));
    const until = this.#now() + 1000 * this.lifetime;
    const fresh = { client, socket, until, permissions: new Map(), channels: new Map(), transaction };
    if (!known) {
      this.allocations.set(keyOf(client), fresh);
      socket.attach({
        onDatagram: (data, remote) => this.#deliver(client, data, remote),
        onSendError: (code, remote) => this.#unreachable(client, code, remote),
      });
    }
    return [XOR_RELAYED_ADDRESS.of(socket.local), XOR_MAPPED_ADDRESS.of(client), LIFETIME.of(this.lifetime)];
  }

  #refresh(allocation: ModelAllocation, seconds = this.lifetime): AttributeDraft[] {
    const granted = seconds === 0 ? 0 : this.lifetime;
    allocation.until = this.#now() + 1000 * granted;
    this.#of(allocation.client);
    return [LIFETIME.of(granted)];
  }

  #deliver(client: SocketAddress, data: Uint8Array, remote: SocketAddress): void {
    const allocation = this.#of(client);
    if (!allocation || (allocation.permissions.get(remote.address) ?? 0) <= this.#now()) {
      this.dropped++;
      return;
    }
    for (const [number, channel] of allocation.channels) {
      if (keyOf(channel.remote) !== keyOf(remote) || channel.until <= this.#now()) continue;
      this.#socket.send(writeChannelData(new Uint8Array(data.length + 4), number, data).slice(), client);
      return;
    }
    this.indicate(client, [XOR_PEER_ADDRESS.of(remote), DATA.of(data)]);
  }

  #unreachable(client: SocketAddress, code: string, remote: SocketAddress | undefined): void {
    const icmp = ICMP.of({ type: 3, code: code === "ECONNREFUSED" ? 3 : 1 });
    if (remote) this.indicate(client, [XOR_PEER_ADDRESS.of(remote), icmp]);
  }

  /** Sends a Data indication. */
  indicate(client: SocketAddress, attributes: readonly AttributeDraft[]): void {
    const id = this.#runtime.random.fill(new Uint8Array(12));
    this.#socket.send(encodeMessage(makeMessage("indication", DATA_METHOD, id, attributes)), client);
  }

  #reply(message: ReceivedMessage, client: SocketAddress, attributes: readonly AttributeDraft[]): void {
    this.#record(message, client, 0);
    const reply = makeMessage("success", message.method, message.transactionId, attributes);
    this.#socket.send(sealMessage(reply, message.method === 1 ? undefined : INTEGRITY, true), client);
  }

  #refuse(message: ReceivedMessage, client: SocketAddress, status: number, alternate?: SocketAddress): void {
    this.#record(message, client, status);
    const challenge = status === 401 || status === 438;
    const reply = makeMessage("error", message.method, message.transactionId, [
      ERROR_CODE.of({ code: status, reason: "scripted" }),
      ...(challenge ? [REALM.of(REALM_NAME), NONCE.of(this.nonce)] : []),
      ...(alternate ? [ALTERNATE_SERVER.of(alternate)] : []),
    ]);
    this.#socket.send(sealMessage(reply, challenge ? undefined : INTEGRITY, true), client);
  }

  #record({ method }: ReceivedMessage, client: SocketAddress, status: number): void {
    this.records.push({ at: this.#now(), method, status, client });
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
