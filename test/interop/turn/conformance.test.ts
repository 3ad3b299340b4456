import { after } from "node:test";
import type { Runtime } from "../../../src/contract/runtime.ts";
import type { TurnTransport } from "../../../src/index.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { testTransport } from "../../conformance/test-transport.ts";
import { startCoturn, turnAt, WITHOUT_UDP } from "./scene.ts";

const tls = selfSigned("localhost");
const plain = await startCoturn();
const secure = await startCoturn([], { tls });
const sixth = await startCoturn([], { addresses: ["::1"], relays: ["127.0.0.1", "::1"] });
after(() => Promise.all([plain, secure, sixth].map((coturn) => coturn.stop())));

const cases: readonly { name: string; create: () => TurnTransport; runtime?: Runtime }[] = [
  { name: "turn over UDP", create: () => turnAt(plain) },
  { name: "turn over TCP", create: () => turnAt(plain, { turnProtocol: "tcp" }) },
  {
    name: "turn over TLS",
    create: () => turnAt(secure, { turnServer: "localhost", turnProtocol: "tls", turnCa: tls.cert }),
  },
  { name: "turn over IPv6", create: () => turnAt(sixth, { turnServer: "::1" }) },
  { name: "turn over UDP, peers over TCP", create: () => turnAt(plain), runtime: WITHOUT_UDP },
  {
    name: "turn over TLS, peers over TCP",
    create: () => turnAt(secure, { turnServer: "localhost", turnProtocol: "tls", turnCa: tls.cert }),
    runtime: WITHOUT_UDP,
  },
];

for (const { name, create, runtime } of cases) {
  testTransport({
    name,
    create,
    dialContext: {
      ...(runtime ? { runtime } : {}),
      openDialog: (signaling, address, transportType) => signaling.open(address, transportType),
    },
    listenContext: {
      onDialog: (signaling, transportType, onDialog) => signaling.register({ transportType, onDialog }),
    },
    fixedEndpoints: false,
    async refused() {
      const transportInfo = { type: "local-signaling", uid: "0".repeat(32) };
      return {
        endpoint: { transportType: create().type, transportInfo },
        code: "ERR_1TP_PEER_OFFLINE",
      };
    },
  });
}
