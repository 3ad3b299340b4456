import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { queryObjects } from "node:v8";
import { createServer, MemoryTransport, Socket } from "1tp";
import { Initiator } from "../../../src/session/initiator.ts";
import { NoiseHandshake } from "../../../src/session/noise.ts";
import { Responder } from "../../../src/session/responder.ts";

describe("the keys of a handshake", () => {
  it("are forgotten on both sides when it is over, while the connection lives", async (t) => {
    const server = createServer([new MemoryTransport()], (socket) => socket.pipe(socket));
    const socket = await new Socket([new MemoryTransport()]).connectP(await server.listenP());
    t.after(() => server.close());
    t.after(() => socket.destroy());
    socket.write("hello");
    await once(socket, "data");
    const living = [NoiseHandshake, Initiator, Responder].map((of) => queryObjects(of, { format: "count" }));
    assert.deepEqual(living, [0, 0, 0]);
    assert.equal(socket.isConnected(), true);
  });
});
