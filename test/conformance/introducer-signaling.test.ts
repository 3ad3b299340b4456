import { createServer, parseIdentity, Socket } from "1tp";
import { IntroducerSignaling } from "../../signaling/introducer/index.ts";
import { toBase64Url } from "../../src/base/bytes.ts";
import { MemoryHub, MemoryTransport } from "../../transports/memory/index.ts";
import { TcpTransport } from "../../transports/tcp/index.ts";
import { UdpTransport } from "../../transports/udp/index.ts";
import { testSignaling } from "./test-signaling.ts";

/** The key that the suite registers with has to be that of the sockets. */
const identity = parseIdentity(`1tp-secret-${toBase64Url(new Uint8Array(32).fill(7))}`);

const hub = new MemoryHub();
const TRANSPORTS = {
  memory: () => new MemoryTransport({ hub }),
  tcp: () => new TcpTransport(),
  udp: () => new UdpTransport(),
};

for (const [word, transport] of Object.entries(TRANSPORTS)) {
  for (const renewed of [false, true]) {
    if (renewed && word === "udp") continue;
    testSignaling({
      name: `introducer over ${word}${renewed ? ", renewed" : ""}`,
      async start() {
        const server = createServer([transport()], { introduce: true });
        const info = await server.listenP([{ transportType: word, transportInfo: { address: "127.0.0.1" } }]);
        const sockets: Socket[] = [];
        return {
          create() {
            const connect = (): Socket => {
              const socket = new Socket([transport()], { identity }).connect(info);
              sockets.push(socket);
              return socket;
            };
            return new IntroducerSignaling(renewed ? connect : connect());
          },
          async stop() {
            const open = sockets.filter((socket) => !socket.closed);
            const closed = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
            for (const socket of open) socket.destroy();
            await Promise.all(closed);
            await server.closeP();
          },
        };
      },
    });
  }
}
