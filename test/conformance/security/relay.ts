import { EventEmitter, once } from "node:events";
import type { ConnectionInfo, Endpoint, Transport } from "1tp";
import type { Channel } from "../../../src/contract/channel.ts";
import { inHands } from "./hands.ts";
import { type Scene, strangersContext } from "./scene.ts";

/** Away from the dialler, or back to it. */
export type Direction = "up" | "down";

/** One handshake message or record on its way. */
export interface Unit {
  readonly direction: Direction;
  /** Of its direction: 0 is the first handshake message. */
  readonly index: number;
  readonly bytes: Buffer;
  /** The connection it is part of. */
  readonly carrier: Carrier;
}

/** Says what is passed on in place of a unit. */
export type Meddling = (unit: Unit) => readonly Uint8Array[];

/**
 * A man in the middle: to the dialler it looks like the server's endpoint, to the server like a dialler. Where dialogs
 * lead to the server alone, he is whoever carries the channel. It keeps every byte of the transport's channels, and
 * passes on what `meddling` says, or all as it comes.
 */
export class Relay {
  readonly carriers: Carrier[] = [];
  readonly #chunks: Record<Direction, Uint8Array[]> = { up: [], down: [] };
  readonly #units: Record<Direction, number> = { up: 0, down: 0 };
  readonly #news = new EventEmitter();
  #endpoint: Endpoint | undefined;
  #transport: Transport | undefined;

  /** Stands before `target` until the test is over. */
  static async open(scene: Scene, target: Endpoint, meddling?: Meddling): Promise<Relay> {
    const relay = new Relay();
    const transport = scene.transport();
    scene.after(() => {
      for (const carrier of relay.carriers) carrier.cut();
    });
    if (transport.traits.signaled) {
      relay.#endpoint = target;
      relay.#transport = inHands(transport, (near, far) => relay.#join(near, far, meddling));
      return relay;
    }
    const listener = await transport.listen!({
      runtime: scene.place.server,
      listeningInfo: scene.place.listeningInfo,
      exclusive: false,
      onChannel: (near) => void relay.#carry(near, transport, target, scene, meddling),
      onError: () => undefined,
    });
    scene.after(() => void listener.close());
    relay.#transport = scene.transport();
    relay.#endpoint = { ...target, ...listener.endpoints[0]! };
    return relay;
  }

  /** What to give to a dialler. */
  get info(): ConnectionInfo {
    return [this.#endpoint!];
  }

  /** What a dialler who is to come this way dials with. */
  get transports(): readonly Transport[] {
    return [this.#transport!];
  }

  /** All bytes that came, of one direction. */
  bytes(direction: Direction): Buffer {
    return Buffer.concat(this.#chunks[direction]);
  }

  /** Resolves with the next unit of a direction; only a relay that meddles knows them. */
  async next(direction: Direction): Promise<void> {
    const count = this.#units[direction];
    while (this.#units[direction] === count) await once(this.#news, "news");
  }

  async #carry(
    near: Channel,
    transport: Transport,
    target: Endpoint,
    scene: Scene,
    meddling: Meddling | undefined,
  ): Promise<void> {
    const far = await transport.dial(target, strangersContext(scene.place, target));
    this.#join(near, far, meddling);
  }

  #join(near: Channel, far: Channel, meddling: Meddling | undefined): void {
    const keep = (direction: Direction, chunk: Uint8Array): void => {
      this.#chunks[direction].push(chunk);
    };
    this.carriers.push(new Carrier(near, far, keep, meddling && this.#counting(meddling)));
  }

  #counting(meddling: Meddling): Meddling {
    return (unit) => {
      this.#units[unit.direction]++;
      this.#news.emit("news");
      return meddling(unit);
    };
  }
}

/** One connection through a relay. */
export class Carrier {
  readonly #near: Channel;
  readonly #far: Channel;
  readonly #ended = { up: false, down: false };
  #mute = false;

  constructor(
    near: Channel,
    far: Channel,
    keep: (direction: Direction, chunk: Uint8Array) => void,
    meddling: Meddling | undefined,
  ) {
    this.#near = near;
    this.#far = far;
    for (const direction of ["up", "down"] as const) {
      const [from, to] = direction === "up" ? [near, far] : [far, near];
      const pass = meddling ? this.#splitter(direction, meddling) : (chunk: Uint8Array) => [chunk];
      from.attach({
        onData: (chunk) => {
          keep(direction, Uint8Array.from(chunk));
          for (const part of pass(chunk)) this.insert(direction, part);
        },
        onDrain() {},
        onEnd: () => this.end(direction),
        onClose: (error) => {
          if (!this.#mute) to.abort(error);
        },
      });
    }
  }

  /** Takes chunks, and gives what becomes of the units that are whole. */
  #splitter(direction: Direction, meddling: Meddling): (chunk: Uint8Array) => readonly Uint8Array[] {
    let rest = Buffer.alloc(0);
    let index = 0;
    return (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      const parts: Uint8Array[] = [];
      for (
        let length = unitLength(rest, direction, index);
        length <= rest.length;
        length = unitLength(rest, direction, index)
      ) {
        const bytes = rest.subarray(0, length);
        rest = rest.subarray(length);
        parts.push(...meddling({ direction, index: index++, bytes, carrier: this }));
      }
      return parts;
    };
  }

  /** Puts bytes into a direction. */
  insert(direction: Direction, bytes: Uint8Array): void {
    if (!this.#ended[direction] && !this.#mute) (direction === "up" ? this.#far : this.#near).write(bytes);
  }

  /** Ends a direction, as one does who has said everything. */
  end(direction: Direction): void {
    if (this.#mute) return;
    this.#ended[direction] = true;
    (direction === "up" ? this.#far : this.#near).end();
  }

  /** From now on nothing passes, not even that an end is gone. */
  mute(): void {
    this.#mute = true;
  }

  /** Takes both directions down. */
  cut(error?: Error): void {
    this.#ended.up = this.#ended.down = true;
    this.#near.abort(error);
    this.#far.abort(error);
  }
}

/** Bytes of the unit in front: a length of two bytes and what it counts; before the first one up, the hello byte. */
function unitLength(bytes: Buffer, direction: Direction, index: number): number {
  const start = direction === "up" && index === 0 ? 1 : 0;
  if (bytes.length < start + 2) return Number.POSITIVE_INFINITY;
  // A length of 0 is that of an alert, which has one byte.
  return start + 2 + Math.max(bytes.readUInt16BE(start), 1);
}
