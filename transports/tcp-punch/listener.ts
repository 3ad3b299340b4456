import { OnetpError } from "../../src/base/errors.ts";
import { Slots } from "../../src/base/slots.ts";
import { socketEndpoint, withoutZone } from "../../src/base/socket-address.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Dialog, Registration } from "../../src/contract/dialog.ts";
import type { ConnectionInfo } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { kernelAddress, TcpChannel } from "../../src/host/tcp-channel.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import { PunchPorts } from "./punch-ports.ts";
import { PunchSession } from "./punch-session.ts";

/** Punches under way at once, in all and with one address; more dialogs are refused (chosen: each lasts a second or two). */
const MAX_SESSIONS = 256;
const MAX_SESSIONS_PER_ADDRESS = 64;
/** A dialler that has not come by then does not come (chosen: its own patience, and a signal's time). */
const SESSION_LIFETIME: Millis = 20_000;

/** Listens for dialogs and punches with whoever opens one. Rejects with what the signaling rejects with. */
export async function listenPunch(parts: PunchParts, context: ListenContext): Promise<Listener> {
  const { onDialog } = context;
  if (!onDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: TYPE });
  const listener = new PunchListener(parts, context);
  listener.registration = await onDialog(parts.signaling, TYPE, (dialog) => void listener.meet(dialog));
  return listener;
}

/** It has sockets only while somebody punches. */
class PunchListener implements Listener {
  registration: Registration | undefined;
  readonly #parts: PunchParts;
  readonly #context: ListenContext;
  readonly #sessions = new Set<PunchSession>();
  readonly #slots = new Slots(MAX_SESSIONS, MAX_SESSIONS_PER_ADDRESS);
  #closed = false;

  constructor(parts: PunchParts, context: ListenContext) {
    this.#parts = parts;
    this.#context = context;
  }

  get endpoints(): ConnectionInfo {
    const { registration } = this;
    return registration ? [{ transportType: TYPE, transportInfo: registration.address }] : [];
  }

  /** Somebody has opened a dialog, and may. */
  async meet(dialog: Dialog): Promise<void> {
    const leave = this.#closed ? undefined : this.#slots.take(dialog.observedAddress);
    const ports = leave && (await this.#open());
    if (ports && !this.#closed) {
      this.#punch(dialog, ports, leave);
      return;
    }
    ports?.close();
    leave?.();
    dialog.close();
  }

  /** Undefined where the system has no sockets left. */
  #open(): Promise<PunchPorts | undefined> {
    const { runtime } = this.#context;
    return PunchPorts.open(this.#parts, runtime, false).catch((error: unknown) => {
      runtime.log("tcp-punch: %s", error);
      return undefined;
    });
  }

  #punch(dialog: Dialog, ports: PunchPorts, leave: () => void): void {
    const { runtime, onChannel } = this.#context;
    const attested = dialog.observedAddress;
    const session = new PunchSession(
      this.#parts,
      ports,
      { opener: false, attested, context: this.#context },
      {
        onChosen: (socket, history) => {
          const { remoteAddress, remotePort = 0 } = socket;
          const remote = socketEndpoint(TYPE, withoutZone(kernelAddress(remoteAddress)), remotePort);
          onChannel(new TcpChannel(socket, remote, history));
        },
        onOver: (error) => runtime.log("%s", error.message),
        onClose: () => {
          timer.cancel();
          leave();
          this.#sessions.delete(session);
        },
      },
    );
    const timer = runtime.clock.setTimer(runtime.clock.now() + SESSION_LIFETIME, () => session.close());
    timer.unref();
    this.#sessions.add(session);
    session.meet(dialog);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.registration?.close();
    for (const session of [...this.#sessions]) session.close();
  }

  ref(): void {
    if (!this.#closed) this.registration?.ref();
  }

  unref(): void {
    this.registration?.unref();
  }
}
