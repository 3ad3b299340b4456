import { createRegistrar } from "../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../signaling/websocket/index.ts";
import { testSignaling } from "./test-signaling.ts";

for (const scheme of ["ws", "http"]) {
  testSignaling({
    name: `websocket at a URL with ${scheme}:`,
    async start() {
      const registrar = await createRegistrar({ host: "127.0.0.1" });
      const url = registrar.url.replace("ws", scheme);
      return { create: () => new WebSocketSignaling({ url }), stop: () => registrar.close() };
    },
  });
}
