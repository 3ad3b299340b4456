import { LocalHub, LocalSignaling } from "../../signaling/local/index.ts";
import { TcpPunchTransport } from "../../transports/tcp-punch/index.ts";
import { testTransport } from "./test-transport.ts";

const signaling = new LocalSignaling({ hub: new LocalHub() });

testTransport({
  name: "tcp-punch",
  create: () => new TcpPunchTransport({ signaling }),
  dialContext: { openDialog: (meeting, address, type) => meeting.open(address, type) },
  listenContext: {
    onDialog: (meeting, transportType, accept) => meeting.register({ transportType, onDialog: accept }),
  },
  refused: async () => ({
    endpoint: {
      transportType: "tcp-punch",
      transportInfo: { type: "local-signaling", uid: "0".repeat(32) },
    },
    code: "ERR_1TP_PEER_OFFLINE",
  }),
  fixedEndpoints: false,
});
