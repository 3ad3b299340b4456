/** Registers at a URL, prints the address, answers one signal in capitals, and has to exit by itself. */
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";

const [, , url = "", token] = process.argv;
const signaling = new WebSocketSignaling(token === undefined ? { url } : { url, token });
const { address } = await signaling.register({
  transportType: "test",
  onDialog(dialog) {
    dialog.attach({
      onSignal: (body) => void dialog.send(`${body}`.toUpperCase()),
      onClose: () => void signaling.close(),
    });
  },
});
console.log(JSON.stringify(address));
