import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createServer, MemoryTransport, Socket, TcpTransport, type Transport, UdpTransport } from "1tp";

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

  const transports: readonly Transport[] = [new MemoryTransport(), new TcpTransport(), new UdpTransport()];
  for (const transport of transports) {
    it(`has statistics over ${transport.type} once it is connected, and afterwards`, async (t) => {
      const server = createServer([transport], (accepted) => accepted.pipe(accepted));
      t.after(() => server.close());
      const socket = new Socket([transport]);
      assert.equal(socket.stats(), undefined);
      await socket.connectP(await server.listenP([]));
      socket.end("hello").resume();
      await once(socket, "close");
      const { bytesRead, bytesWritten, rtt } = socket.stats()!;
      assert.deepEqual([bytesRead, bytesWritten], [5, 5]);
      assert.equal(typeof rtt, transport.type === "udp" ? "number" : "undefined");
    });
  }

  for (const method of ["end", "resetAndDestroy"] as const) {
    it(`does to no other connection the ${method} that waited for one that failed`, async (t) => {
      const memory = [new MemoryTransport()];
      const server = createServer(memory, (accepted) => accepted.pipe(accepted));
      t.after(() => server.close());
      const [entry] = await server.listenP();
      const socket = new Socket(memory);
      socket.connect({ ...entry!, transportInfo: { name: "nobody" } }).on("error", () => {});
      socket[method]();
      await new Promise((resolve) => socket.once("close", resolve));
      await socket.connectP(entry!);
      socket.write("hello");
      const [echo] = await once(socket, "data");
      assert.equal(String(echo), "hello");
      socket.destroy();
    });
  }
});
