import { crypto, diagnosticsChannel, nextTurn } from "#platform";
import { type Drive, drive } from "../base/drive.ts";
import { codeOf, nodeError, systemError } from "../base/errors.ts";
import { SALT_LENGTH } from "../base/uid.ts";
import type { Clock, Millis } from "../contract/clock.ts";
import type { Dialog, Registration, Signaling } from "../contract/dialog.ts";
import type { Runtime } from "../contract/runtime.ts";
import { HalfOpen, type HalfOpenLimits } from "../session/half-open.ts";
import type { Identity } from "../session/identity.ts";
import { Seal } from "../session/seal.ts";
import { SealedDialog } from "../session/sealed-dialog.ts";
import { ask } from "./admission.ts";
import type { Authorize } from "./security.ts";

/** The longest a registration may take (DESIGN §9), also where a signaling forgets its own limit. */
const REGISTER_TIMEOUT: Millis = 5_000;

/** Chosen: some hundred kilobytes at worst, and longer than any honest `authorize` thinks. */
const LIMITS: HalfOpenLimits = { count: 256, deadline: 15_000 };

/** What a server's dialogs need. */
export interface IncomingDialogsOptions {
  readonly runtime: Runtime;
  /** Undefined: dialogs are plain. */
  readonly security: { readonly identity: Identity; readonly authorize: Authorize | undefined } | undefined;
}

/** Who wants to be reachable, and how. */
export interface Reachability {
  readonly signaling: Signaling;
  readonly transportType: string;
  /** A dialog, its opener proved and admitted. */
  accept(dialog: Dialog): void;
  /** Nobody can open dialogs any more, though nobody here closed the registration. */
  onLost(error: Error): void;
}

const dropChannel = diagnosticsChannel("1tp:drop");

/**
 * The registrations of a server and the dialogs that are not sealed yet. A dialog becomes visible when its opener
 * has proved its key, is admitted and has sent a first body: a stranger costs the transports nothing.
 */
export class IncomingDialogs {
  /** Dialogs that were given up before they were visible, by the code of the reason. */
  readonly drops = new Map<string, number>();
  readonly #options: IncomingDialogsOptions;
  readonly #unsettled = new HalfOpen<SealedDialog>(LIMITS);
  readonly #registrations = new Set<Registration>();
  readonly #drive: Drive;
  #closed = false;

  constructor(options: IncomingDialogsOptions) {
    this.#options = options;
    this.#drive = drive(
      this.#unsettled,
      options.runtime.clock,
      () => undefined,
      (dialog) => {
        dialog.close();
        this.#drop(systemError("ETIMEDOUT", "signal"));
      },
    );
    this.#drive.unref();
  }

  /** Every registration has a uid of its own. Rejects with a code if that cannot be had in 5 s. */
  async register({ signaling, transportType, accept, onLost }: Reachability): Promise<Registration> {
    const { runtime, security } = this.#options;
    const registering = signaling.register({
      transportType,
      keyPair: security?.identity.keyPair,
      salt: runtime.random.fill(new Uint8Array(SALT_LENGTH)),
      onDialog: (dialog) => this.#receive(dialog, transportType, accept),
      onClose: (error) => {
        if (!this.#closed) onLost(error);
      },
    });
    const registration = await inTime(runtime.clock, registering);
    if (this.#closed) {
      registration.close();
      throw nodeError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
    }
    this.#registrations.add(registration);
    return registration;
  }

  #receive(dialog: Dialog, transportType: string, accept: (dialog: Dialog) => void): void {
    const { runtime, security } = this.#options;
    if (this.#closed) dialog.close();
    else if (!security) accept(dialog);
    else {
      const { identity, authorize } = security;
      const seal = Seal.acceptor(transportType, { crypto, random: runtime.random, identity });
      const sealed = new SealedDialog(dialog, seal, {
        defer: nextTurn,
        authorize: authorize && ((publicKey, answer) => ask(authorize, publicKey, answer)),
        onSettled: (error) => {
          this.#unsettled.delete(sealed);
          this.#drive.wake();
          if (error) this.#drop(error);
          else accept(sealed);
        },
      });
      this.#unsettled.add(sealed, runtime.clock.now());
      this.#drive.wake();
    }
  }

  #drop(error: Error): void {
    const code = codeOf(error) ?? error.message;
    this.drops.set(code, (this.drops.get(code) ?? 0) + 1);
    if (dropChannel.hasSubscribers) dropChannel.publish({ error });
  }

  /** Ends every registration, and every dialog that nobody has seen yet. */
  close(): void {
    this.#closed = true;
    this.#drive.stop();
    for (const registration of this.#registrations) registration.close();
    for (const dialog of this.#unsettled.takeAll()) dialog.close();
  }
}

/** A registration that comes too late is closed. */
function inTime(clock: Clock, registering: Promise<Registration>): Promise<Registration> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = clock.setTimer(clock.now() + REGISTER_TIMEOUT, () => {
      late = true;
      reject(systemError("ETIMEDOUT", "signal"));
    });
    registering.then(
      (registration) => {
        timer.cancel();
        if (late) registration.close();
        else resolve(registration);
      },
      (error) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
