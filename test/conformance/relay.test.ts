import { after } from "node:test";
import { LocalHub, LocalSignaling } from "../../signaling/local/index.ts";
import { createRegistrar } from "../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../signaling/websocket/index.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Transport } from "../../src/contract/transport.ts";
import { RelayTransport } from "../../transports/relay/index.ts";
import { testTransport } from "./test-transport.ts";

const limits = { relayRate: 1e9, relayRatePerConnection: 1e9, openRate: 10_000, messageRate: 10_000 };
const registrar = await createRegistrar({ host: "127.0.0.1", stun: false, drainTimeout: 0, limits });
const { url } = registrar;
const hub = new LocalHub();
after(() => registrar.close());

const kinds: Record<string, () => Signaling> = {
  local: () => new LocalSignaling({ hub }),
  websocket: () => new WebSocketSignaling({ url }),
};

for (const [word, signalingOf] of Object.entries(kinds)) {
  const signalings = new Map<Transport, Signaling>();
  testTransport({
    name: `relay over ${word} signaling`,
    create() {
      const signaling = signalingOf();
      const transport = new RelayTransport({ signaling });
      signalings.set(transport, signaling);
      return transport;
    },
    async dispose(transport) {
      await signalings.get(transport)?.close();
      signalings.delete(transport);
    },
    dialContext: { openDialog: (signaling, address, type) => signaling.open(address, type) },
    listenContext: {
      onDialog: (signaling, transportType, onDialog) => signaling.register({ transportType, onDialog }),
    },
    async refused() {
      const transportInfo = { type: `${word}-signaling`, uid: "0".repeat(32), url };
      return { endpoint: { transportType: "relay", transportInfo }, code: "ERR_1TP_PEER_OFFLINE" };
    },
    fixedEndpoints: false,
  });
}
