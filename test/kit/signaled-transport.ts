import type { Channel } from "../../src/contract/channel.ts";
import type { Dialog, Signaling, SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint, Json } from "../../src/contract/endpoint.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import { MemoryTransport } from "../../transports/memory/index.ts";

/**
 * The smallest transport that needs signaling: a dialog tells the dialler on which name of the process's memory the
 * listener waits. Nobody else is told.
 */
export class SignaledTransport implements Transport {
  readonly type: string;
  readonly traits: TransportTraits = { cost: 80, relayed: false, signaled: true };
  readonly connectTimeout: number;
  /** Every dialog that a listener was shown, and that a dial has opened. */
  readonly accepted: Dialog[] = [];
  readonly opened: Dialog[] = [];
  readonly #signaling: Signaling;
  readonly #memory = new MemoryTransport();

  constructor(signaling: Signaling, { type = "signaled", connectTimeout = 15_000 } = {}) {
    this.#signaling = signaling;
    this.type = type;
    this.connectTimeout = connectTimeout;
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && this.#signaling.accepts(endpoint.transportInfo);
  }

  async dial(remote: Endpoint, context: DialContext): Promise<Channel> {
    const address = remote.transportInfo as SignalingAddress;
    const dialog = await context.openDialog!(this.#signaling, address, this.type);
    this.opened.push(dialog);
    try {
      const answer = nextSignal(dialog, context.signal);
      await dialog.send("where");
      const endpoint: Endpoint = { transportType: "memory", transportInfo: { name: await answer } };
      return carriedBy(await this.#memory.dial(endpoint, context), remote);
    } finally {
      dialog.close();
    }
  }

  async listen(context: ListenContext): Promise<Listener> {
    const inner = await this.#memory.listen({
      ...context,
      listeningInfo: [],
      onChannel: (channel) =>
        context.onChannel(carriedBy(channel, { ...channel.remote, transportType: this.type })),
    });
    try {
      const registration = await context.onDialog!(this.#signaling, this.type, (dialog) => {
        this.accepted.push(dialog);
        dialog.attach({
          // Whoever has gone does not want to know.
          onSignal: () => dialog.send(inner.endpoints[0]!.transportInfo.name!).catch(() => {}),
          onClose() {},
        });
      });
      return {
        endpoints: [{ transportType: this.type, transportInfo: registration.address }],
        async close() {
          registration.close();
          await inner.close();
        },
        ref: () => registration.ref(),
        unref: () => registration.unref(),
      };
    } catch (error) {
      await inner.close();
      throw error;
    }
  }
}

/** The next signal of a dialog; rejects when it ends first, or with the signal's reason. */
function nextSignal(dialog: Dialog, signal: AbortSignal): Promise<Json> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    dialog.attach({
      onSignal: resolve,
      onClose: (error) => reject(error ?? new Error("the dialog ended without an answer")),
    });
  });
}

/** A channel that says of its peer what `remote` says. */
function carriedBy(channel: Channel, remote: Endpoint): Channel {
  return {
    remote,
    firstFlightSent: channel.firstFlightSent,
    attach: (sink) => channel.attach(sink),
    write: (chunk) => channel.write(chunk),
    end: (flushed) => channel.end(flushed),
    abort: (error) => channel.abort(error),
    pause: () => channel.pause(),
    resume: () => channel.resume(),
    ref: () => channel.ref(),
    unref: () => channel.unref(),
    set: (option, value) => channel.set(option, value),
    stats: () => channel.stats(),
  };
}
