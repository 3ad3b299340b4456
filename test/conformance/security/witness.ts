import { EventEmitter, once } from "node:events";
import type { Socket } from "1tp";
import { codeOf } from "../../../src/base/errors.ts";

/** Hears all that a socket says, and reads all that comes. */
export class Witness {
  readonly socket: Socket;
  /** `connect`, `end`, `error CODE` and `close` in the order they came. */
  readonly events: string[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #news = new EventEmitter();

  constructor(socket: Socket) {
    this.socket = socket;
    const note = (event: string): void => {
      this.events.push(event);
      this.#news.emit("news");
    };
    socket.on("connect", () => note("connect"));
    socket.on("end", () => note("end"));
    socket.on("error", (error) => note(`error ${codeOf(error) ?? error.message}`));
    socket.on("close", () => note("close"));
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#news.emit("news");
    });
  }

  /** All that has come. */
  get heard(): string {
    return Buffer.concat(this.#chunks).toString("latin1");
  }

  /** Resolves with all that has come once it ends with `word`; rejects if the socket closes before. */
  async hears(word: string): Promise<string> {
    while (!this.heard.endsWith(word)) {
      if (this.closed) throw new Error(`closed before it heard "${word}": ${this.events.join(", ")}`);
      await once(this.#news, "news");
    }
    return this.heard;
  }

  /** Resolves once something has come. */
  async hearsAnything(): Promise<void> {
    while (this.#chunks.length === 0) await once(this.#news, "news");
  }

  /** Resolves once that event has come. */
  async hearsOf(event: string): Promise<void> {
    while (!this.events.includes(event)) await once(this.#news, "news");
  }

  /** The errors of the socket, by code. */
  get errors(): readonly string[] {
    return this.events.filter((event) => event.startsWith("error ")).map((event) => event.slice(6));
  }

  get closed(): boolean {
    return this.events.includes("close");
  }

  /** Resolves with all events once the socket has closed. */
  async gone(): Promise<readonly string[]> {
    while (!this.closed) await once(this.#news, "news");
    return this.events;
  }
}
