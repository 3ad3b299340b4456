import type { diagnosticsChannel } from "./node.ts";

type Subscriber = (message: unknown, name: string) => void;

/** What of `node:diagnostics_channel` is in use here: who subscribes is told what is published from then on. */
class BrowserChannel {
  readonly name: string;
  readonly #subscribers = new Set<Subscriber>();

  constructor(name: string) {
    this.name = name;
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0;
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
  }

  unsubscribe(subscriber: Subscriber): boolean {
    return this.#subscribers.delete(subscriber);
  }

  /** As in Node, what a subscriber throws does not reach the publisher. */
  publish(message: unknown): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(message, this.name);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

const channels = new Map<string, BrowserChannel>();

/** The channel of that name, as `channel` of `node:diagnostics_channel`. */
export const browserChannel = ((name: string) => {
  const channel = channels.get(name) ?? new BrowserChannel(name);
  channels.set(name, channel);
  return channel;
}) as unknown as typeof diagnosticsChannel;
