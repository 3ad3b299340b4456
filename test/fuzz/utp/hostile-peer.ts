import type { SeededRandom } from "../../../src/base/random.ts";
import { serialAdd } from "../../../src/base/serial.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { DATA, decodePacket, FIN, Packet, RESET, STATE, SYN } from "../../../src/utp/packet.ts";
import { encode, type ScriptPacket } from "../../unit/utp/scripted-peer.ts";

/** Distances from the number that would be right. */
const OFF = [-1025, -3, -2, -1, 0, 0, 0, 0, 1, 2, 3, 40, 1023, 4095, 4096, 32_767] as const;
const WINDOWS = [0, 0, 1, 1199, 65_536, 0xffffffff] as const;
const TYPES = [DATA, DATA, DATA, DATA, STATE, STATE, FIN, SYN] as const;
const LENGTHS = [0, 0, 1, 100, 1200, 1452] as const;

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** Dials honestly, sees every answer, and then says anything that could pass for an honest packet. */
export class HostilePeer {
  readonly remote: SocketAddress;
  readonly #random: SeededRandom;
  readonly #packet = new Packet();
  #id: number;
  #seq: number;
  /** The number that the other side will send next, and the last one of ours it has. */
  #theirSeq = 0;
  #theirAck = 0;
  #answered = false;
  /** The number of a SYN in the midst of a connection, which is refused by itself. */
  #lastSyn = -1;

  constructor(remote: SocketAddress, random: SeededRandom) {
    this.remote = remote;
    this.#random = random;
    this.#id = random.integer(65_536);
    this.#seq = random.integer(65_536);
  }

  hear(data: Uint8Array): void {
    const packet = this.#packet;
    if (decodePacket(data, packet) || packet.connectionId !== this.#id) return;
    if (packet.type === RESET) {
      if (packet.ack === this.#lastSyn) return;
      this.#answered = false;
      this.#id = this.#random.integer(65_536);
      return;
    }
    this.#answered = true;
    this.#theirAck = packet.ack;
    if (packet.type === STATE) this.#theirSeq = packet.seq;
    else this.#theirSeq = serialAdd(packet.seq, 1);
  }

  next(): Uint8Array {
    if (!this.#answered || this.#random.chance(0.001)) {
      return encode({ type: SYN, id: this.#id, seq: this.#seq, window: 50_000 });
    }
    return encode(this.#anything());
  }

  #anything(): ScriptPacket {
    const random = this.#random;
    const type = random.chance(0.002) ? RESET : pick(random, TYPES);
    const seq = serialAdd(this.#theirAck, 1 + (random.chance(0.5) ? 0 : pick(random, OFF)));
    if (type === SYN) this.#lastSyn = seq;
    return {
      type,
      id: type === SYN ? this.#id : serialAdd(this.#id, 1),
      seq,
      ack: serialAdd(this.#theirSeq, -1 + (random.chance(0.5) ? 0 : pick(random, OFF))),
      window: pick(random, WINDOWS),
      timestamp: random.integer(2 ** 32),
      difference: pick(random, [0, 1, 20_000, 2 ** 32 - 1]),
      extensions: this.#extensions(),
      payload: new Uint8Array(pick(random, LENGTHS)),
    };
  }

  #extensions(): NonNullable<ScriptPacket["extensions"]> {
    const random = this.#random;
    return Array.from({ length: pick(random, [0, 0, 0, 1, 2]) }, () => {
      const type = pick(random, [1, 1, 2, 3, 0x70, 0x71, 0x71, 0x72, 0x73]);
      const length = pick(random, [2, 3, 4, 4, 4, 8, 252]);
      const body = random.fill(new Uint8Array(length));
      // Fragments that may fit: from the beginning, of a whole that is not too long.
      if (type === 0x71 && length === 4 && random.chance(0.7)) body.set([0, 0, random.integer(8)]);
      return [type, body] as const;
    });
  }
}
