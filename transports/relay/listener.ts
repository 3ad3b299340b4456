import { OnetpError } from "../../src/base/errors.ts";
import type { Millis, Timer } from "../../src/contract/clock.ts";
import type { Dialog, Registration, Signaling } from "../../src/contract/dialog.ts";
import type { ConnectionInfo, Endpoint } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { JOIN } from "./dial.ts";

/** How long an opener may take to say that it wants the channel (chosen: as long as a registrar waits for the second side). */
const JOIN_TIMEOUT: Millis = 10_000;

/** Is reachable for dialogs, and joins whoever wants one relayed. Rejects with what the signaling rejects with. */
export async function listenRelay(signaling: Signaling, context: ListenContext): Promise<Listener> {
  const { onDialog } = context;
  if (!onDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: "relay" });
  const dialogs = new RelayDialogs(context);
  const registration = await onDialog(signaling, "relay", (dialog) => dialogs.receive(dialog));
  return new RelayListener(registration, dialogs);
}

/** The dialogs whose openers have not said yet what they want. */
class RelayDialogs {
  readonly #context: ListenContext;
  readonly #waiting = new Map<Dialog, Timer>();
  #closed = false;

  constructor(context: ListenContext) {
    this.#context = context;
  }

  receive(dialog: Dialog): void {
    if (this.#closed || !dialog.relay) {
      dialog.close();
      return;
    }
    const { clock } = this.#context.runtime;
    const timer = clock.setTimer(clock.now() + JOIN_TIMEOUT, () => dialog.close());
    timer.unref();
    this.#waiting.set(dialog, timer);
    dialog.attach({
      onSignal: (body) => (body === JOIN ? this.#join(dialog) : dialog.close()),
      onClose: () => void this.#forget(dialog),
    });
  }

  close(): void {
    this.#closed = true;
    for (const dialog of [...this.#waiting.keys()]) {
      this.#forget(dialog);
      dialog.close();
    }
  }

  /** False if it has been forgotten already. */
  #forget(dialog: Dialog): boolean {
    this.#waiting.get(dialog)?.cancel();
    return this.#waiting.delete(dialog);
  }

  #join(dialog: Dialog): void {
    if (!this.#forget(dialog) || !dialog.relay) return;
    const channel = dialog.relay(callerOf(dialog));
    // Whoever has gone does not want to know; whoever stays would hold the dialog as long as it likes.
    dialog
      .send(JOIN)
      .catch(() => {})
      .finally(() => dialog.close());
    this.#context.onChannel(channel);
  }
}

function callerOf({ observedAddress }: Dialog): Endpoint {
  const transportInfo = observedAddress === undefined ? {} : { address: observedAddress };
  return { transportType: "relay", transportInfo };
}

class RelayListener implements Listener {
  readonly endpoints: ConnectionInfo;
  readonly #registration: Registration;
  readonly #dialogs: RelayDialogs;

  constructor(registration: Registration, dialogs: RelayDialogs) {
    this.endpoints = [{ transportType: "relay", transportInfo: registration.address }];
    this.#registration = registration;
    this.#dialogs = dialogs;
  }

  async close(): Promise<void> {
    this.#registration.close();
    this.#dialogs.close();
  }

  ref(): void {
    this.#registration.ref();
  }

  unref(): void {
    this.#registration.unref();
  }
}
