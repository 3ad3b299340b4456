// Suites of the project that run in a page as they do in Node.
import { LocalSignaling, MemoryTransport, WebSocketSignaling } from "1tp";
import { LocalHub } from "../../../signaling/local/index.ts";
import { testSignaling } from "../../conformance/test-signaling.ts";
import { testTransport } from "../../conformance/test-transport.ts";
import "../../sim/dial-endings.test.ts";
import "../../sim/dial.test.ts";
import "../../unit/net/own-plugs.test.ts";
import "../../unit/net/ticket.test.ts";
import "../../unit/session/noise.test.ts";
import "../../unit/session/seal.test.ts";
import "../../unit/session/wire-format.test.ts";

testSignaling({
  name: "local",
  async start() {
    const hub = new LocalHub();
    return { create: () => new LocalSignaling({ hub }), stop: async () => {} };
  },
});

testSignaling({
  name: "websocket, with a registrar in Node",
  async start() {
    const url = await registrar("start");
    return {
      create: () => new WebSocketSignaling({ url }),
      stop: async () => void (await registrar("stop", url)),
    };
  },
});

testTransport({ name: "memory", create: () => new MemoryTransport() });

/** The test in Node starts and stops registrars. */
declare function registrar(wish: "start" | "stop", url?: string): Promise<string>;

export { runAll } from "./stand-ins/test.ts";
