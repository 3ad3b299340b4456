import { after } from "node:test";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { LocalProxy } from "../../kit/local-proxy.ts";
import { testTransport } from "../test-transport.ts";

const user = "me:hush-hush";
const proxies = {
  http: await LocalProxy.start({ scheme: "http", user }),
  socks5: await LocalProxy.start({ scheme: "socks5", user }),
};
after(() => Promise.all(Object.values(proxies).map((proxy) => proxy.stop())));

// HTTP has no word for a refusal by the target.
for (const [scheme, code] of [
  ["http", "ERR_1TP_PROXY_FAILED"],
  ["socks5", "ECONNREFUSED"],
] as const) {
  testTransport({
    name: `tcp through ${scheme}`,
    create: () => new TcpTransport({ proxy: proxies[scheme].urlWith(user) }),
    listeningInfo: [{ transportType: "tcp", transportInfo: { address: "127.0.0.1" } }],
    translated: true,
    refused: async () => ({
      endpoint: { transportType: "tcp", transportInfo: { address: "127.0.0.1", port: 1 } },
      code,
    }),
  });
}
