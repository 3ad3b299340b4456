import { nodeError, OnetpError, systemError, toError } from "../../src/base/errors.ts";
import { Slots } from "../../src/base/slots.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Dialog, Registration, Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { negotiate } from "./negotiation.ts";
import type { Peer } from "./peer.ts";

/** Connections that are being negotiated at once, and those of one address (chosen: each costs megabytes and some threads' time). */
const MAX_NEGOTIATIONS = 64;
const MAX_NEGOTIATIONS_PER_ADDRESS = 16;

/** How one listens. */
export interface WebRtcListenOptions {
  readonly signaling: Signaling;
  /** The longest a negotiation may take; 0: what signaled transports take by default. */
  readonly patience: Millis;
  openPeer(signal: AbortSignal): Promise<Peer>;
}

/** Is reachable for dialogs, and makes channels of them. Rejects with a code if that cannot be had. */
export async function listenWebRtc(context: ListenContext, options: WebRtcListenOptions): Promise<Listener> {
  if (!context.onDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no dialogs here" });
  const negotiations = new Negotiations(context, options);
  const registration = await context.onDialog(options.signaling, "webrtc", (dialog) =>
    negotiations.accept(dialog),
  );
  return new WebRtcListener(registration, negotiations);
}

/** The connections on their way in. */
class Negotiations {
  readonly #context: ListenContext;
  readonly #options: WebRtcListenOptions;
  readonly #running = new Set<AbortController>();
  readonly #slots = new Slots(MAX_NEGOTIATIONS, MAX_NEGOTIATIONS_PER_ADDRESS);
  #closed = false;

  constructor(context: ListenContext, options: WebRtcListenOptions) {
    this.#context = context;
    this.#options = options;
  }

  accept(dialog: Dialog): void {
    const leave = this.#closed ? undefined : this.#slots.take(dialog.observedAddress);
    if (!leave) {
      dialog.close();
      return;
    }
    const { runtime, onChannel } = this.#context;
    const { clock } = runtime;
    const controller = new AbortController();
    const patience = this.#options.patience || 15_000;
    const timer = clock.setTimer(clock.now() + patience, () =>
      controller.abort(systemError("ETIMEDOUT", "connect")),
    );
    this.#running.add(controller);
    this.#negotiate(dialog, controller.signal)
      .then(
        (channel) => onChannel(channel),
        (error: unknown) => {
          dialog.close();
          runtime.log("webrtc: %s", toError(error).message);
        },
      )
      .finally(() => {
        timer.cancel();
        leave();
        this.#running.delete(controller);
      });
  }

  async #negotiate(dialog: Dialog, signal: AbortSignal) {
    const peer = await this.#options.openPeer(signal);
    const { runtime, mayDial } = this.#context;
    return negotiate({ peer, dialog, initiator: false, clock: runtime.clock, signal, mayDial });
  }

  close(): void {
    this.#closed = true;
    const reason = nodeError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
    for (const controller of this.#running) controller.abort(reason);
  }
}

class WebRtcListener implements Listener {
  readonly endpoints: readonly Endpoint[];
  readonly #registration: Registration;
  readonly #negotiations: Negotiations;

  constructor(registration: Registration, negotiations: Negotiations) {
    this.#registration = registration;
    this.#negotiations = negotiations;
    this.endpoints = [{ transportType: "webrtc", transportInfo: registration.address }];
  }

  /** Ends what is not connected yet; channels live on. */
  async close(): Promise<void> {
    this.#registration.close();
    this.#negotiations.close();
  }

  ref(): void {
    this.#registration.ref();
  }

  unref(): void {
    this.#registration.unref();
  }
}
