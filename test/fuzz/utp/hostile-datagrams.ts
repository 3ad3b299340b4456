import type { SeededRandom } from "../../../src/base/random.ts";
import { Trace } from "../../kit/trace.ts";
import { Scene } from "../../sim/utp/scene.ts";

/** First extensions and lengths that decoders trip over. */
const EXTENSIONS = [0, 1, 2, 3, 0x70, 0x71, 0x72, 0x73, 0xff] as const;
const LENGTHS = [0, 1, 2, 3, 4, 5, 8, 252, 255] as const;
/** Numbers at the edges of what they are compared with. */
const EDGES = [0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff] as const;

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** Packets of all kinds as two endpoints really send them, to be spoilt. */
export function realPackets(): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (const meta of [undefined, new Uint8Array(20)]) {
    const link = { latency: 10, loss: 0.05, reorder: 0.1, rate: 20e6, queueMillis: 50 };
    const scene = new Scene({ seed: 1, trace: new Trace(), link });
    scene.pair.intercept = (data) => {
      packets.push(data);
      return data;
    };
    const talk = { bytes: 100_000, ...(meta ? { meta } : {}) };
    scene.dial({ dialler: talk, acceptor: talk, firstFlight: 500, options: { pad: true } });
    // A path that gets narrower makes fragments.
    scene.pair.clock.setTimer(scene.pair.clock.now() + 80, () => scene.pair.ab.change({ mtu: 1280 }));
    scene.play();
  }
  return packets;
}

/** Makes datagrams that no honest peer sends, from noise, from parts and from real packets. */
export class HostileDatagrams {
  readonly #random: SeededRandom;
  readonly #real: readonly Uint8Array[];

  constructor(random: SeededRandom, real: readonly Uint8Array[]) {
    this.#random = random;
    this.#real = real;
  }

  next(): Uint8Array {
    const choice = this.#random.integer(10);
    if (choice === 0) return this.#noise(this.#random.integer(64));
    if (choice < 5) return this.#composed();
    return this.#spoilt();
  }

  #noise(length: number): Uint8Array {
    return this.#random.fill(new Uint8Array(length));
  }

  /** A header with any numbers and a chain of any extensions. */
  #composed(): Uint8Array {
    const random = this.#random;
    const data = this.#noise(20 + random.integer(80));
    const type = random.chance(0.05) ? random.integer(16) : random.integer(5);
    data[0] = (type << 4) | (random.chance(0.95) ? 1 : random.integer(16));
    data[1] = pick(random, EXTENSIONS);
    for (const at of [2, 16, 18]) if (random.chance(0.3)) this.#write16(data, at, pick(random, EDGES));
    if (random.chance(0.2)) data.fill(random.chance(0.5) ? 0 : 255, 12, 16);
    for (let at = 20; data[1] !== 0 && at + 2 <= data.length; ) {
      data[at] = pick(random, EXTENSIONS);
      data[at + 1] = pick(random, LENGTHS);
      if (data[at] === 0 || random.chance(0.1)) break;
      at += 2 + data[at + 1]!;
    }
    return data;
  }

  /** A real packet, with bits flipped, fields at their edges, cut, stretched or joined to another. */
  #spoilt(): Uint8Array {
    const random = this.#random;
    const real = pick(random, this.#real);
    const cut = random.chance(0.2) ? random.integer(real.length + 1) : real.length;
    let data = new Uint8Array(real.subarray(0, cut));
    if (random.chance(0.1)) data = Buffer.concat([data, this.#noise(random.integer(40))]);
    if (random.chance(0.05)) data = Buffer.concat([data, pick(random, this.#real)]).subarray(0, 1452);
    if (data.length < 20) return data;
    for (let flips = random.integer(4); flips > 0; flips--) {
      const bit = random.integer(8 * Math.min(data.length, 60));
      data[bit >> 3]! ^= 1 << (bit & 7);
    }
    if (random.chance(0.5)) this.#write16(data, pick(random, [2, 16, 18]), random.integer(65_536));
    if (random.chance(0.2)) this.#write16(data, pick(random, [2, 16, 18]), pick(random, EDGES));
    return data;
  }

  #write16(data: Uint8Array, at: number, value: number): void {
    data[at] = value >> 8;
    data[at + 1] = value;
  }
}
