import { nextTurn, runtime } from "#platform";
import { systemError } from "../../src/base/errors.ts";
import type { Timer } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { LinkChannel, type MessageLink } from "../../src/host/link-channel.ts";

/** How long one side waits for the other, in ms; as at a registrar. */
const PAIRING_TIMEOUT = 10_000;

/** One end of a pipe inside the process, and the channel over it. */
export class LocalRelay implements MessageLink {
  readonly maxMessage = 16_384;
  readonly channel: LinkChannel;
  readonly #early: string[] = [];
  readonly #timer: Timer;
  #peer: LocalRelay | undefined;
  #over = false;

  constructor(remote: Endpoint) {
    this.channel = new LinkChannel({ link: this, remote });
    const { clock } = runtime;
    this.#timer = clock.setTimer(clock.now() + PAIRING_TIMEOUT, () => this.#lose());
    this.#timer.unref();
  }

  /** Makes them the two ends of one pipe. */
  static join(first: LocalRelay, second: LocalRelay): void {
    for (const [end, peer] of [
      [first, second],
      [second, first],
    ] as const) {
      end.#peer = peer;
      end.#timer.cancel();
    }
    for (const end of [first, second]) nextTurn(() => end.#open());
  }

  get lent(): boolean {
    return this.#peer === undefined;
  }

  send(message: string | Uint8Array): void {
    if (this.#over) return;
    const peer = this.#peer;
    // The writer may use its bytes again.
    const own = typeof message === "string" ? message : new Uint8Array(message);
    if (peer) nextTurn(() => peer.channel.received(own));
    else if (typeof own === "string") this.#early.push(own);
  }

  close(): void {
    this.#end(true);
  }

  terminate(): void {
    this.#end(false);
  }

  /** Nothing here keeps a process alive: without other work nobody could ever write. */
  ref(): void {}

  unref(): void {}

  #open(): void {
    for (const word of this.#early.splice(0)) this.send(word);
    this.channel.drained();
  }

  #end(inOrder: boolean): void {
    if (this.#over) return;
    const peer = this.#peer;
    this.#over = true;
    this.#timer.cancel();
    nextTurn(() => {
      this.channel.closed(inOrder);
      if (!peer || peer.#over) return;
      peer.#over = true;
      peer.channel.closed(inOrder);
    });
  }

  #lose(): void {
    this.#over = true;
    this.channel.closed(false, systemError("ECONNRESET", "read"));
  }
}
