import { crypto, nextTurn } from "#platform";
import { OnetpError, systemError, toError } from "../base/errors.ts";
import type { Millis } from "../contract/clock.ts";
import type { Dialog, Signaling, SignalingAddress } from "../contract/dialog.ts";
import type { Endpoint, Json } from "../contract/endpoint.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { FirstBody } from "../contract/transport.ts";
import { Seal } from "../session/seal.ts";
import { SealedDialog } from "../session/sealed-dialog.ts";
import { checkReach, type DialPolicy } from "./dial-policy.ts";
import { type DialSecurity, peerOf } from "./security.ts";

/** Chosen: what servers give an accepted dialog; longer than any honest `authorize` thinks. */
const SETTLE_TIMEOUT: Millis = 15_000;

/** Which attempt it is that opens a dialog. */
export interface DialogAttempt {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  /** The peer, whose key was not known, has turned us away after the dialog had opened. */
  onRefused?(error: Error): void;
}

/** What it takes to open a dialog. */
export interface OutgoingDialogOptions extends DialogAttempt {
  readonly runtime: Runtime;
  /** Undefined: the dialog is plain. */
  readonly security: DialSecurity | undefined;
  readonly dialPolicy: DialPolicy | undefined;
}

/** Whom to open a dialog with. */
export type DialogTarget = readonly [
  signaling: Signaling,
  address: SignalingAddress,
  transportType: string,
  first?: FirstBody,
];

/**
 * Opens a dialog sealed to the entry's public key. Resolves when the peer has proved that key; rejects with a code,
 * phase `signal`, or with the reason of `signal`. After a rejection nothing is left.
 */
export async function openDialog(options: OutgoingDialogOptions, target: DialogTarget): Promise<Dialog> {
  const { runtime, security, dialPolicy, endpoint, signal } = options;
  const [signaling, address, transportType, first] = target;
  try {
    const seal =
      security &&
      Seal.opener(transportType, { crypto, random: runtime.random, ...peerOf(endpoint, security) });
    if (dialPolicy) {
      const lookup = signaling.leavesNames?.(address) ? undefined : runtime.lookup;
      await checkReach(address, dialPolicy, lookup);
    }
    signal.throwIfAborted();
    const dialog = await signaling.open(address, transportType, signal);
    if (signal.aborted) {
      dialog.close();
      throw signal.reason;
    }
    return await begin(dialog, seal, options, first);
  } catch (error) {
    throw inSignaling(toError(error));
  }
}

/** Seals a dialog and says what is to be said first, with the handshake if it can carry it. */
async function begin(
  dialog: Dialog,
  seal: Seal | undefined,
  options: OutgoingDialogOptions,
  first: FirstBody | undefined,
): Promise<Dialog> {
  try {
    const body = first?.(dialog.observedAddress);
    const early = body !== undefined && seal?.carriesEarly(body);
    const settled = seal ? await settle(dialog, seal, options, early ? body : undefined) : dialog;
    if (body !== undefined && !early) await settled.send(body);
    return settled;
  } catch (error) {
    dialog.close();
    throw error;
  }
}

function settle(
  dialog: Dialog,
  seal: Seal,
  { runtime, signal, onRefused }: OutgoingDialogOptions,
  early: Json | undefined,
): Promise<Dialog> {
  const { clock } = runtime;
  return new Promise((resolve, reject) => {
    const onSettled = (error?: Error): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      if (error) reject(error);
      else resolve(sealed);
    };
    const options = {
      defer: nextTurn,
      onSettled,
      onRefused: (error: Error) => onRefused?.(inSignaling(error)),
    };
    const sealed = new SealedDialog(dialog, seal, options, seal.firstSignal(early));
    const giveUp = (reason: Error): void => {
      sealed.close();
      onSettled(reason);
    };
    const onAbort = (): void => giveUp(signal.reason);
    const timer = clock.setTimer(clock.now() + SETTLE_TIMEOUT, () =>
      giveUp(systemError("ETIMEDOUT", "signal")),
    );
    signal.addEventListener("abort", onAbort);
  });
}

/** The phase is the dialog's, whichever handshake inside it has failed. */
function inSignaling(error: Error): Error {
  if (!(error instanceof OnetpError) || error.phase === "signal") return error;
  const { code, message, transport, status } = error;
  return new OnetpError(code, { message, transport, status, phase: "signal", cause: error });
}
