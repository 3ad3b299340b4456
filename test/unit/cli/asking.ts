/** Opens a dialog to an address, says a word, prints the answer, and has to exit by itself. */
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";

const [, , json = "{}", token] = process.argv;
const address = JSON.parse(json);
const { url } = address;
const signaling = new WebSocketSignaling(token === undefined ? { url } : { url, token });
const dialog = await signaling.open(address, "test");
dialog.attach({
  onSignal(body) {
    console.log(`answer ${body}`);
    dialog.close();
  },
  onClose: () => void signaling.close(),
});
await dialog.send("hello");
