import { after } from "node:test";
import { LocalSignaling } from "../../signaling/local/index.ts";
import { TurnTransport } from "../../transports/turn/index.ts";
import { TURN_USER, TurnProcess } from "../kit/turn-server.ts";
import { testTransport } from "./test-transport.ts";

const server = await TurnProcess.start();
after(() => server.stop());

testTransport({
  name: "turn over UDP",
  create: () =>
    new TurnTransport({
      turnServer: "127.0.0.1",
      turnPort: server.port,
      turnUsername: TURN_USER.username,
      turnPassword: TURN_USER.password,
      signaling: new LocalSignaling(),
    }),
  dialContext: {
    openDialog: (signaling, address, transportType) => signaling.open(address, transportType),
  },
  listenContext: {
    onDialog: (signaling, transportType, onDialog) => signaling.register({ transportType, onDialog }),
  },
  fixedEndpoints: false,
  async refused() {
    const transportInfo = { type: "local-signaling", uid: "0".repeat(32) };
    return { endpoint: { transportType: "turn-udp", transportInfo }, code: "ERR_1TP_PEER_OFFLINE" };
  },
});
