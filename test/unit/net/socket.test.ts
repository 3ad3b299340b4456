import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createServer, Socket, TcpTransport } from "1tp";

describe("a socket", () => {
  it("has addresses while connected, and the peer's afterwards", async (t) => {
    const server = createServer([new TcpTransport()], (accepted) => accepted.resume());
    t.after(() => server.close());
    const info = await server.listenP([
      { transportType: "tcp", transportInfo: { address: "127.0.0.1", port: 0 } },
    ]);
    const socket = new Socket([new TcpTransport()]);
    assert.deepEqual(
      [socket.localAddress, socket.remoteAddress, socket.address()],
      [undefined, undefined, {}],
    );
    await socket.connectP(info);
    assert.equal(socket.localAddress?.transportInfo.address, "127.0.0.1");
    assert.deepEqual(socket.address(), socket.localAddress);
    socket.destroy();
    await once(socket, "close");
    assert.deepEqual([socket.localAddress, socket.address()], [undefined, {}]);
    assert.deepEqual(socket.remoteAddress?.transportInfo, info[0]?.transportInfo);
  });
});
