import assert from "node:assert/strict";
import type { SeededRandom } from "../../../src/base/random.ts";
import type { Clock, Millis } from "../../../src/contract/clock.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import type { UtpEvent } from "../../../src/utp/options.ts";
import { Pattern } from "../../kit/pattern.ts";

/** What an application does with its end of a connection. */
export interface Script {
  /** How much it writes before it ends its side. */
  readonly bytes: number;
  /** The largest write. */
  readonly chunk: number;
  /** The largest read; 0 reads packet by packet. */
  readonly reads: number;
  /** It reads nothing for so long, as often as `pauses` says, each time after `pauseEvery` bytes. */
  readonly pause: Millis;
  readonly pauses: number;
  readonly pauseEvery: number;
  /** What packets carry beside the bytes in the second half of what it writes. */
  readonly meta?: Uint8Array;
  /** It writes only after it has read the peer's end. */
  readonly answers: boolean;
  /** After so much written or read it closes both sides, or resets. */
  readonly leaves?: { readonly how: "close" | "abort"; readonly after: number };
}

/** Writes everything at once, reads everything at once, ends. */
export const EAGER: Script = {
  bytes: 0,
  chunk: 16_384,
  reads: 65_536,
  pause: 0,
  pauses: 0,
  pauseEvery: 0,
  answers: false,
};

/** What an application has around it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: SeededRandom;
  /** Does something to the connection as its host asks for. */
  readonly call: <Result>(action: () => Result) => Result;
}

/** One end of one connection with the application that uses it, which judges every byte and every event. */
export class Party {
  readonly name: string;
  readonly script: Script;
  connection: UtpConnection | undefined;
  written = 0;
  read = 0;
  /** Everything that was told about the connection. */
  readonly heard: string[] = [];
  closed: { readonly error: Error | undefined } | undefined;
  /** The application has closed or reset the connection itself. */
  left = false;
  peer: Party | undefined;
  readonly #around: Surroundings;
  readonly #outgoing: Pattern;
  readonly #incoming: Pattern;
  #blocked = false;
  /** The dial itself has written. */
  #firstFlight = false;
  #paused = false;
  #pauses = 0;
  #pauseAt = 0;

  /** `id` names its stream of bytes; the peer's is the one that differs in the last bit. */
  constructor(name: string, id: number, script: Script, around: Surroundings) {
    this.name = name;
    this.script = script;
    this.#around = around;
    this.#outgoing = new Pattern(id);
    this.#incoming = new Pattern(id ^ 1);
    this.#pauseAt = script.pauses > 0 ? script.pauseEvery : Number.POSITIVE_INFINITY;
  }

  /** Bytes of the beginning that ride in the SYN. */
  firstFlight(length: number): Uint8Array {
    this.#firstFlight = true;
    this.written = Math.min(length, this.script.bytes);
    return this.#outgoing.slice(0, this.written);
  }

  /** The connection exists. */
  start(connection: UtpConnection): void {
    this.connection = connection;
    if (!this.script.answers) this.#write();
  }

  onEvent({ type, error }: UtpEvent): void {
    assert.equal(this.closed, undefined, `${this.name} hears ${type} after closed`);
    if (type !== "readable" && type !== "drain") {
      assert.ok(!this.heard.includes(type), `${this.name} hears ${type} twice`);
    }
    this.heard.push(type);
    if (type === "readable") this.#read();
    else if (type === "drain") this.#onDrain();
    else if (type === "end") this.#onEnd();
    else if (type === "finished") this.#onFinished();
    else if (type === "closed") this.closed = { error };
  }

  #onDrain(): void {
    assert.ok(this.#blocked || this.#firstFlight, `${this.name} hears drain without need`);
    this.#blocked = false;
    this.#write();
  }

  #onEnd(): void {
    assert.equal(this.connection!.readable, 0, `${this.name} hears end with bytes to read`);
    if (this.script.answers) this.#write();
  }

  #onFinished(): void {
    assert.equal(this.connection!.unacknowledged, 0, `${this.name} has finished with bytes on the way`);
    assert.equal(this.written, this.script.bytes, `${this.name} has finished without an end`);
  }

  #write(): void {
    const { bytes, chunk } = this.script;
    while (!this.#blocked && !this.left && !this.closed && this.written < bytes) {
      const length = Math.min(1 + this.#around.random.integer(chunk), bytes - this.written);
      const data = this.#outgoing.slice(this.written, length);
      const meta = this.written < bytes / 2 ? undefined : this.script.meta;
      this.written += length;
      this.#blocked = !this.#around.call(() => this.connection!.write(data, meta));
      this.#mayLeave();
    }
    if (this.written === bytes && !this.left) this.#around.call(() => this.connection!.end());
  }

  #read(): void {
    while (!this.#paused && !this.left) {
      const chunk = this.#around.call(() => this.#take());
      if (!chunk) return;
      assert.ok(chunk.length > 0, `${this.name} reads nothing`);
      assert.ok(this.#incoming.matches(chunk, this.read), `${this.name} reads other bytes at ${this.read}`);
      this.read += chunk.length;
      this.#mayPause();
      this.#mayLeave();
    }
  }

  #take(): Uint8Array | undefined {
    const { reads } = this.script;
    return reads === 0 ? this.connection!.readPacket()?.data : this.connection!.read(reads);
  }

  #mayPause(): void {
    if (this.read < this.#pauseAt) return;
    this.#paused = true;
    this.#pauses++;
    const more = this.#pauses < this.script.pauses;
    this.#pauseAt = more ? this.read + this.script.pauseEvery : Number.POSITIVE_INFINITY;
    const { clock } = this.#around;
    clock.setTimer(clock.now() + this.script.pause, () => {
      this.#paused = false;
      this.#read();
    });
  }

  #mayLeave(): void {
    const { leaves } = this.script;
    if (!leaves || this.written + this.read < leaves.after) return;
    this.leave(leaves.how);
  }

  /** The application is done with the connection, if it has one. */
  leave(how: "close" | "abort"): void {
    const { connection } = this;
    if (!connection || this.left || this.closed) return;
    this.left = true;
    this.#around.call(() => (how === "close" ? connection.close() : connection.abort()));
  }

  /** Closed in good order by both sides, not by its own application. */
  get clean(): boolean {
    return this.closed !== undefined && !this.closed.error && !this.left;
  }
}
