import { after } from "node:test";
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import { WebSocketTransport } from "../../../transports/websocket/index.ts";
import { LocalProxy } from "../../kit/local-proxy.ts";
import { testSignaling } from "../test-signaling.ts";
import { testTransport } from "../test-transport.ts";

const user = "me:hush-hush";
const proxies = {
  http: await LocalProxy.start({ scheme: "http", user }),
  socks5: await LocalProxy.start({ scheme: "socks5", user }),
};
after(() => Promise.all(Object.values(proxies).map((proxy) => proxy.stop())));

for (const [scheme, code] of [
  ["http", "ERR_1TP_PROXY_FAILED"],
  ["socks5", "ECONNREFUSED"],
] as const) {
  const url = proxies[scheme].urlWith(user);
  testTransport({
    name: `websocket through ${scheme}`,
    create: () => new WebSocketTransport({ proxy: url }),
    listeningInfo: [{ transportType: "websocket", transportInfo: { address: "127.0.0.1" } }],
    translated: true,
    refused: async () => ({
      endpoint: { transportType: "websocket", transportInfo: { url: "ws://127.0.0.1:1" } },
      code,
    }),
  });
}

testSignaling({
  name: "websocket through socks5",
  async start() {
    const proxy = await LocalProxy.start({ scheme: "socks5" });
    const registrar = await createRegistrar({ host: "127.0.0.1" });
    return {
      create: () => new WebSocketSignaling({ url: registrar.url, proxy: proxy.url }),
      async stop() {
        await registrar.close();
        await proxy.stop();
      },
    };
  },
});
