/** How the bytes of a stream become messages that the peer has room for. */

/** Bytes that may be under way in one direction (chosen: 40 MB/s over 100 ms; as much waits for a reader at most). */
export const WINDOW = 1 << 22;

/** What a message costs beside its bytes (chosen: what it costs a receiver to keep one). */
export const MESSAGE_COST = 64;

/** The part of a window that the receiver has consumed before it grants that much again: grants cost next to nothing. */
const GRANTED_PART = 4;

/** Takes what is sent. */
export interface MessageOutlet {
  /** Bytes of the longest message. */
  readonly maxMessage: number;
  /** True: what was sent may still be read, and nothing more should be sent now. */
  readonly lent: boolean;
  send(message: string | Uint8Array): void;
}

/** The bytes that wait for credit, and messages made of them. */
export class CreditedSender {
  readonly #outlet: MessageOutlet;
  readonly #queue: Uint8Array[] = [];
  readonly #window: number;
  #credit: number;

  constructor(outlet: MessageOutlet, window = WINDOW) {
    this.#outlet = outlet;
    this.#window = window;
    this.#credit = window;
  }

  /** Nothing waits here. */
  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** Nothing waits, and nothing is lent: the writer may go on. */
  get ready(): boolean {
    return this.empty && !this.#outlet.lent;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#queue.push(chunk);
    this.flush();
  }

  /** The peer has room for more. False: for more than there can be. */
  grant(credit: number): boolean {
    if (credit > this.#window - this.#credit) return false;
    this.#credit += credit;
    return true;
  }

  /** Sends what may be sent now. */
  flush(): void {
    while (!this.#outlet.lent && this.#queue.length > 0) {
      const chunk = this.#queue[0]!;
      const size = Math.min(chunk.length, this.#outlet.maxMessage, this.#credit - MESSAGE_COST);
      if (size <= 0) return;
      if (size === chunk.length) this.#queue.shift();
      else this.#queue[0] = chunk.subarray(size);
      this.#credit -= size + MESSAGE_COST;
      this.#outlet.send(size === chunk.length ? chunk : chunk.subarray(0, size));
    }
  }

  discard(): void {
    this.#queue.length = 0;
  }
}

/** The messages that wait for a reader, and what to grant for those that were read. */
export class CreditedReceiver {
  readonly #queue: Uint8Array[] = [];
  readonly #window: number;
  #credit: number;
  #consumed = 0;

  constructor(window = WINDOW) {
    this.#window = window;
    this.#credit = window;
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** False: the peer has sent more than it was granted. */
  push(message: Uint8Array): boolean {
    this.#credit -= message.length + MESSAGE_COST;
    this.#queue.push(message);
    return this.#credit >= 0;
  }

  take(): Uint8Array | undefined {
    const message = this.#queue.shift();
    if (message) this.#consumed += message.length + MESSAGE_COST;
    return message;
  }

  /** What to tell the peer; undefined where that can wait. */
  takeGrant(): number | undefined {
    if (this.#consumed < this.#window / GRANTED_PART) return undefined;
    const grant = this.#consumed;
    this.#credit += grant;
    this.#consumed = 0;
    return grant;
  }

  discard(): void {
    this.#queue.length = 0;
  }
}
