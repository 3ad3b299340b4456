/** What belongs to no dialog. */
const NONE = 0;

/** The least that dropping a dialog has to free, in bytes (chosen: several times what saying so takes). */
const LEAST_FREED = 256;

/** A part of a frame: text counts by its characters. */
interface Part {
  readonly length: number;
}

/** Messages that wait for one client: every dialog has its turn, so that none waits for the flood of another. */
export class Outbox<Message extends Part = Uint8Array> {
  /** By dialog, in the order of their turns. */
  readonly #queues = new Map<number, Message[][]>();
  /** By dialog. */
  readonly #sizes = new Map<number, number>();
  /** Of the frame whose turn it is; a frame is not interrupted. */
  #current: Message[] = [];
  #size = 0;

  /** Bytes that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds the messages of a frame. */
  push(messages: readonly Message[], dialog: number = NONE): void {
    const queue = this.#queues.get(dialog) ?? [];
    queue.push([...messages]);
    this.#queues.set(dialog, queue);
    this.#account(dialog, lengthOf(messages));
  }

  /** Hands messages to `send` until there are none left or it says false. */
  flush(send: (message: Message) => boolean): void {
    for (let next = this.#next(); next; next = this.#next()) {
      if (!send(next)) return;
      this.#current.shift();
      this.#size -= next.length;
    }
  }

  /** Forgets what waits of the dialog that has most, but for a frame that is half sent; undefined if no dialog has much. */
  dropLargest(): number | undefined {
    let [largest, most] = [NONE, 0];
    for (const [dialog, size] of this.#sizes)
      if (dialog !== NONE && size > most) [largest, most] = [dialog, size];
    if (most < LEAST_FREED) return undefined;
    this.#queues.delete(largest);
    this.#account(largest, -most);
    return largest;
  }

  #next(): Message | undefined {
    if (this.#current.length > 0) return this.#current[0];
    const [turn] = this.#queues;
    if (!turn) return undefined;
    const [dialog, queue] = turn;
    this.#queues.delete(dialog);
    this.#current = queue.shift()!;
    if (queue.length > 0) this.#queues.set(dialog, queue);
    // Its bytes wait on, but no longer in this dialog's account.
    this.#account(dialog, -lengthOf(this.#current));
    this.#size += lengthOf(this.#current);
    return this.#current[0];
  }

  #account(dialog: number, bytes: number): void {
    const size = (this.#sizes.get(dialog) ?? 0) + bytes;
    if (size > 0) this.#sizes.set(dialog, size);
    else this.#sizes.delete(dialog);
    this.#size += bytes;
  }
}

function lengthOf(messages: readonly Part[]): number {
  return messages.reduce((sum, { length }) => sum + length, 0);
}
