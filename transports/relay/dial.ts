import { OnetpError, systemError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Dialog, Signaling, SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";

/** What both sides say, once each: the dialler when it wants the channel, the listener when it has joined. */
export const JOIN = "join";

/** Opens a dialog and has it relayed. Rejects with a code or the signal's reason, and then leaves nothing behind. */
export async function dialRelay(
  signaling: Signaling,
  endpoint: Endpoint,
  { openDialog, onPhase, signal }: DialContext,
): Promise<Channel> {
  signal.throwIfAborted();
  if (!openDialog)
    throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: "relay" });
  onPhase("signal");
  const dialog = await openDialog(signaling, endpoint.transportInfo as SignalingAddress, "relay");
  try {
    signal.throwIfAborted();
    if (!dialog.relay) {
      const detail = "this signaling does not relay";
      throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail, transport: "relay" });
    }
    onPhase("connect");
    const channel = dialog.relay(endpoint);
    try {
      const joined = answer(dialog, signal);
      await Promise.all([dialog.send(JOIN), joined]);
      return channel;
    } catch (error) {
      channel.abort();
      throw error;
    }
  } finally {
    dialog.close();
  }
}

/** Resolves when the listener has joined; rejects when the dialog ends first, or with the signal's reason. */
function answer(dialog: Dialog, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    const settle = (): void => signal.removeEventListener("abort", onAbort);
    dialog.attach({
      onSignal() {
        settle();
        resolve();
      },
      onClose(error) {
        settle();
        reject(error ?? systemError("ECONNREFUSED", "connect"));
      },
    });
  });
}
