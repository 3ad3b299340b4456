import { after } from "node:test";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { WebSocketTransport } from "../../../transports/websocket/index.ts";
import { testTransport } from "../../conformance/test-transport.ts";
import { startDante, startTinyproxy, withUser } from "./daemons.ts";

const dante = await startDante();
const tinyproxy = await startTinyproxy();
after(() => Promise.all([dante.stop(), tinyproxy.stop()]));

const proxies = [
  { name: "dante", proxy: dante.url, code: "ECONNREFUSED", halfClose: true },
  { name: "tinyproxy", proxy: withUser(tinyproxy.url), code: "ERR_1TP_PROXY_FAILED", halfClose: false },
];

for (const { name, proxy, code, halfClose } of proxies) {
  testTransport({
    name: `tcp through ${name}`,
    create: () => new TcpTransport({ proxy }),
    listeningInfo: [{ transportType: "tcp", transportInfo: { address: "127.0.0.1" } }],
    translated: true,
    halfClose,
    reset: false,
    refused: async () => ({
      endpoint: { transportType: "tcp", transportInfo: { address: "127.0.0.1", port: 1 } },
      code,
    }),
  });
  testTransport({
    name: `websocket through ${name}`,
    create: () => new WebSocketTransport({ proxy }),
    listeningInfo: [{ transportType: "websocket", transportInfo: { address: "127.0.0.1" } }],
    translated: true,
    refused: async () => ({
      endpoint: { transportType: "websocket", transportInfo: { url: "ws://127.0.0.1:1" } },
      code,
    }),
  });
}
