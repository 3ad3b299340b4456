import { OnetpError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Timer } from "../../src/contract/clock.ts";
import type { SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { TcpChannel } from "../../src/host/tcp-channel.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import { PunchPorts } from "./punch-ports.ts";
import { PunchSession } from "./punch-session.ts";

/** Opens a dialog to the entry and punches a way to whoever is there. */
export async function dialPunch(
  parts: PunchParts,
  endpoint: Endpoint,
  context: DialContext,
): Promise<Channel> {
  const { runtime, signal, openDialog } = context;
  if (!openDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: TYPE });
  signal.throwIfAborted();
  context.onPhase("signal");
  // Servers are asked while the dialog opens.
  const ports = await PunchPorts.open(parts, runtime, true);
  try {
    signal.throwIfAborted();
    return await new PunchDial(parts, endpoint, context, ports).run(openDialog);
  } finally {
    ports.close();
  }
}

/** A dialog and the punch that is told of in it, which begins with the dialog's first body. */
class PunchDial {
  readonly #parts: PunchParts;
  readonly #endpoint: Endpoint;
  readonly #context: DialContext;
  readonly #ports: PunchPorts;
  readonly #won: Promise<Channel>;
  #session: PunchSession | undefined;
  #connecting = false;
  #resolve!: (channel: Channel) => void;
  #reject!: (reason: unknown) => void;

  constructor(parts: PunchParts, endpoint: Endpoint, context: DialContext, ports: PunchPorts) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#context = context;
    this.#ports = ports;
    this.#won = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever awaits it may come later.
    this.#won.catch(() => {});
  }

  async run(openDialog: NonNullable<DialContext["openDialog"]>): Promise<Channel> {
    const { signal, onPhase } = this.#context;
    const { clock } = this.#context.runtime;
    const { signaling, connectTimeout } = this.#parts;
    const onAbort = (): void => this.#stop(signal.reason);
    signal.addEventListener("abort", onAbort);
    let late: Timer | undefined;
    try {
      const address = this.#endpoint.transportInfo as SignalingAddress;
      const dialog = await openDialog(signaling, address, TYPE, (observed) =>
        this.#begin(observed).opening(),
      );
      const session = this.#session ?? this.#begin(dialog.observedAddress);
      session.meet(dialog);
      // A peer that says nothing more is not waited for for ever.
      const giveUp = (): void => this.#stop(session.failure("there was no time left"));
      if (connectTimeout > 0) late = clock.setTimer(clock.now() + connectTimeout, giveUp);
      if (!this.#connecting) onPhase("punch");
      return await this.#won;
    } finally {
      signal.removeEventListener("abort", onAbort);
      late?.cancel();
      this.#session?.close();
    }
  }

  #stop(reason: unknown): void {
    this.#session?.close();
    this.#reject(reason);
  }

  #begin(attested: string | undefined): PunchSession {
    const context = this.#context;
    this.#session = new PunchSession(
      this.#parts,
      this.#ports,
      { opener: true, attested, context },
      {
        onOpen: () => this.#connect(),
        onChosen: (socket, history) => this.#resolve(new TcpChannel(socket, this.#endpoint, history)),
        onOver: (error) => this.#reject(error),
      },
    );
    return this.#session;
  }

  #connect(): void {
    if (this.#connecting) return;
    this.#connecting = true;
    this.#context.onPhase("connect");
  }
}
