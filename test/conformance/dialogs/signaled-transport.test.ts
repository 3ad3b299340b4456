import { LocalSignaling } from "../../../signaling/local/index.ts";
import type { DialContext, ListenContext } from "../../../src/contract/transport.ts";
import { SignaledTransport } from "../../kit/signaled-transport.ts";
import { testTransport } from "../test-transport.ts";

const dialContext: Partial<DialContext> = {
  openDialog: (signaling, address, transportType) => signaling.open(address, transportType),
};
const listenContext: Partial<ListenContext> = {
  onDialog: (signaling, transportType, onDialog) => signaling.register({ transportType, onDialog }),
};

testTransport({
  name: "signaled, of the tests",
  create: () => new SignaledTransport(new LocalSignaling()),
  dialContext,
  listenContext,
  fixedEndpoints: false,
  async refused() {
    const transportInfo = { type: "local-signaling", uid: "0".repeat(32) };
    return { endpoint: { transportType: "signaled", transportInfo }, code: "ERR_1TP_PEER_OFFLINE" };
  },
});
