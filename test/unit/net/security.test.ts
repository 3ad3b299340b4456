import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { queryObjects } from "node:v8";
import {
  createServer,
  LocalSignaling,
  MemoryTransport,
  Socket,
  type Transport,
  UdpPunchTransport,
} from "1tp";
import { Initiator } from "../../../src/session/initiator.ts";
import { NoiseHandshake } from "../../../src/session/noise.ts";
import { Responder } from "../../../src/session/responder.ts";

const hub = new LocalSignaling();

/** The second one seals dialogs besides, and holds on to what it dialled with. */
const ROADS: Readonly<Record<string, () => Transport>> = {
  memory: () => new MemoryTransport(),
  "udp-punch": () => new UdpPunchTransport({ signaling: hub }),
};

describe("the keys of a handshake", () => {
  for (const [word, create] of Object.entries(ROADS)) {
    it(`are forgotten on both sides when it is over, while the connection over ${word} lives`, async (t) => {
      const server = createServer([create()], (socket) => socket.pipe(socket));
      const socket = await new Socket([create()]).connectP(await server.listenP());
      t.after(() => server.close());
      t.after(() => socket.destroy());
      socket.write("hello");
      await once(socket, "data");
      const living = [NoiseHandshake, Initiator, Responder].map((of) =>
        queryObjects(of, { format: "count" }),
      );
      assert.deepEqual(living, [0, 0, 0]);
      assert.equal(socket.isConnected(), true);
    });
  }
});
