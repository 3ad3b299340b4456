import assert from "node:assert/strict";
import { nextTick } from "#platform";
import { seededRandom } from "../../../src/base/random.ts";
import type { Channel, ChannelSink } from "../../../src/contract/channel.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { Responder } from "../../../src/session/responder.ts";
import { Session, type SessionOptions } from "../../../src/session/session.ts";
import { MemoryChannel } from "../../../transports/memory/channel.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const random = seededRandom(1);
/** Whose sessions these are. */
export const client = createIdentity(crypto, random);
export const server = createIdentity(crypto, random);

const endpoint = (name: string): Endpoint => ({ transportType: "memory", transportInfo: { name } });

/** A channel that notes what is called, in front of a real one. */
class Watched implements Channel {
  readonly calls: string[] = [];
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get remote(): Endpoint {
    return this.#channel.remote;
  }

  get local(): Endpoint {
    return this.#channel.local as Endpoint;
  }

  get firstFlightSent(): boolean {
    return this.#channel.firstFlightSent;
  }

  attach(sink: ChannelSink): void {
    this.#channel.attach(sink);
  }

  write(chunk: Uint8Array): boolean {
    this.calls.push("write");
    return this.#channel.write(chunk);
  }

  end(flushed?: () => void): void {
    this.calls.push("end");
    this.#channel.end(flushed);
  }

  abort(error?: Error): void {
    this.calls.push(error ? "abort with error" : "abort");
    this.#channel.abort(error);
  }

  pause(): void {
    this.calls.push("pause");
    this.#channel.pause();
  }

  resume(): void {
    this.calls.push("resume");
    this.#channel.resume();
  }

  ref(): void {
    this.calls.push("ref");
  }

  unref(): void {
    this.calls.push("unref");
  }

  set(option: string, value: unknown): void {
    this.calls.push(`${option}=${value}`);
  }

  stats(): ReturnType<Channel["stats"]> {
    return { ...this.#channel.stats(), retransmits: 3 };
  }
}

/** Two sessions over one in-memory channel. */
export class Couple {
  readonly clock = new VirtualClock();
  readonly near: Session;
  readonly far: Session;
  readonly nearChannel: Watched;
  readonly farChannel: Watched;
  readonly settled: Record<"near" | "far", (Error | undefined)[]> = { near: [], far: [] };

  constructor(options: Partial<SessionOptions> & { highWaterMark?: number; named?: boolean } = {}) {
    const { highWaterMark = 65_536, named = true, ...farOptions } = options;
    const pair = MemoryChannel.pair(endpoint("near"), endpoint("far"), highWaterMark);
    [this.nearChannel, this.farChannel] = [new Watched(pair[0]), new Watched(pair[1])];
    const remotePublicKey = named ? server.publicKey : undefined;
    const both = { clock: this.clock, defer: nextTick };
    const initiator = new Initiator({
      crypto,
      random,
      identity: client,
      remotePublicKey,
      allowUnknownPeer: !named,
    });
    this.near = new Session(this.nearChannel, initiator, {
      ...both,
      onSettled: (error) => this.settled.near.push(error),
    });
    this.far = new Session(this.farChannel, new Responder({ crypto, random, identity: server }), {
      ...both,
      onSettled: (error) => this.settled.far.push(error),
      ...farOptions,
    });
  }

  /** Lets everything settle that waits for nothing but its turn. */
  async settle(): Promise<void> {
    await this.clock.advanceAsync(0);
  }

  async open(): Promise<this> {
    await this.settle();
    this.near.confirm();
    await this.settle();
    assert.deepEqual(this.settled, { near: [undefined], far: [undefined] });
    this.nearChannel.calls.length = 0;
    this.farChannel.calls.length = 0;
    return this;
  }
}
