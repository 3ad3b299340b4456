/** Registers, talks to itself, lets go in the way that is asked for, and has to exit by itself. */
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";

const [, , url = "", mode] = process.argv;
const signaling = new WebSocketSignaling({ url });
const registration = await signaling.register({
  transportType: "test",
  onDialog(dialog) {
    dialog.attach({
      onSignal: (body) => {
        process.stdout.write(String(body));
        dialog.close();
      },
      onClose() {},
    });
  },
});
const dialog = await signaling.open(registration.address, "test");
await dialog.send("heard");
dialog.attach({
  onSignal() {},
  onClose() {
    if (mode === "unrefs") registration.unref();
    else if (mode === "closes the registration") registration.close();
    else void signaling.close();
  },
});
