import { type SignalingAddress, WebSocketSignaling } from "1tp";
import { DialogProbe } from "../../conformance/dialog-probe.ts";

let signaling: WebSocketSignaling;

/** Registers; each dialog that comes answers every signal with it and the address at which the registrar sees the peer. */
export async function register(url: string): Promise<SignalingAddress> {
  signaling = new WebSocketSignaling({ url });
  const { address } = await signaling.register({
    transportType: "test",
    onDialog(dialog) {
      dialog.attach({
        onSignal: (body) => void dialog.send({ body, from: dialog.observedAddress ?? null }),
        onClose: () => undefined,
      });
    },
  });
  return address;
}

/** Opens a dialog, sends one signal and gives the answer; the code of the error if that fails. */
export async function ask(url: string, address: SignalingAddress, body: string): Promise<unknown> {
  signaling ??= new WebSocketSignaling({ url });
  try {
    const probe = new DialogProbe(await signaling.open(address, "test"));
    await probe.dialog.send(body);
    const [answer] = await probe.received(1);
    probe.dialog.close();
    return answer;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** Leaves nothing open. */
export function close(): Promise<void> {
  return signaling.close();
}
