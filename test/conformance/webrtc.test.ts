import { LocalHub, LocalSignaling } from "../../signaling/local/index.ts";
import { WebRtcTransport } from "../../transports/webrtc/index.ts";
import { testTransport } from "./test-transport.ts";

const hub = new LocalHub();

for (const trickle of [true, false]) {
  testTransport({
    name: trickle ? "webrtc" : "webrtc without trickle",
    create: () =>
      new WebRtcTransport({
        signaling: new LocalSignaling({ hub }),
        config: { iceServers: [] },
        trickle,
      }),
    dialContext: { openDialog: (signaling, address, type) => signaling.open(address, type) },
    listenContext: {
      onDialog: (signaling, transportType, onDialog) => signaling.register({ transportType, onDialog }),
    },
    refused: async () => ({
      endpoint: {
        transportType: "webrtc",
        transportInfo: { type: "local-signaling", uid: "0".repeat(32) },
      },
      code: "ERR_1TP_PEER_OFFLINE",
    }),
    fixedEndpoints: false,
    translated: true,
    dials: 10,
  });
}
