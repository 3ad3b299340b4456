import type { ChannelSink } from "../contract/channel.ts";

/** What is done with what a channel brings; the owner comes along, so that one object serves all owners. */
export interface Delivery<Owner> {
  data(owner: Owner, chunk: Uint8Array): void;
  drain(owner: Owner): void;
  end(owner: Owner): void;
  close(owner: Owner, error?: Error): void;
}

/** The sink of one channel: in place of four closures, which every idle connection would keep. */
export class Incoming<Owner> implements ChannelSink {
  readonly #owner: Owner;
  readonly #delivery: Delivery<Owner>;

  constructor(owner: Owner, delivery: Delivery<Owner>) {
    this.#owner = owner;
    this.#delivery = delivery;
  }

  onData(chunk: Uint8Array): void {
    this.#delivery.data(this.#owner, chunk);
  }

  onDrain(): void {
    this.#delivery.drain(this.#owner);
  }

  onEnd(): void {
    this.#delivery.end(this.#owner);
  }

  onClose(error?: Error): void {
    this.#delivery.close(this.#owner, error);
  }
}
