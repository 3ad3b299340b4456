import { createServer, Socket } from "1tp";
import { IntroducerSignaling } from "../../signaling/introducer/index.ts";
import type { Transport } from "../../src/contract/transport.ts";
import { MemoryHub, MemoryTransport } from "../../transports/memory/index.ts";
import { RelayTransport } from "../../transports/relay/index.ts";
import { TcpTransport } from "../../transports/tcp/index.ts";
import { testTransport } from "./test-transport.ts";

const hub = new MemoryHub();
const TRANSPORTS = {
  memory: () => new MemoryTransport({ hub }),
  tcp: () => new TcpTransport(),
};

for (const [word, transport] of Object.entries(TRANSPORTS)) {
  const server = createServer([transport()], { introduce: true, relay: true });
  const info = await server.listenP([{ transportType: word, transportInfo: { address: "127.0.0.1" } }]);
  server.unref();
  const sockets = new Map<Transport, Socket>();
  testTransport({
    name: `relay over an introducer by ${word}`,
    create() {
      const socket = new Socket([transport()]).connect(info);
      const relay = new RelayTransport({ signaling: new IntroducerSignaling(socket) });
      sockets.set(relay, socket);
      return relay;
    },
    async dispose(relay) {
      const socket = sockets.get(relay)!;
      sockets.delete(relay);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.destroy();
      await closed;
    },
    dialContext: { openDialog: (signaling, address, type) => signaling.open(address, type) },
    listenContext: {
      onDialog: (signaling, transportType, onDialog) => signaling.register({ transportType, onDialog }),
    },
    async refused() {
      const introducer = info[0]!.publicKey!;
      const transportInfo = { type: "introducer-signaling", uid: "0".repeat(32), introducer };
      return { endpoint: { transportType: "relay", transportInfo }, code: "ERR_1TP_PEER_OFFLINE" };
    },
    fixedEndpoints: false,
    // Both ends of each are one guest's, which may have 32.
    dials: 16,
  });
}
