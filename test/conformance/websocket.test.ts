import { test } from "node:test";
import { runtime } from "#platform";
import { WebSocketTransport } from "../../transports/websocket/index.ts";
import { testTransport } from "./test-transport.ts";

const program = {
  module: import.meta.resolve("../../transports/websocket/index.ts"),
  name: "WebSocketTransport",
};
const own = runtime.interfaces().map(({ address }) => address);

for (const address of ["127.0.0.1", "::1"]) {
  if (own.includes(address)) {
    testTransport({
      name: `websocket over ${address}`,
      create: () => new WebSocketTransport(),
      listeningInfo: [{ transportType: "websocket", transportInfo: { address } }],
      program,
    });
  } else {
    test(`transport websocket over ${address}`, { skip: `this machine has no ${address}` });
  }
}
