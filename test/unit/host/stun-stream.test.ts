import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, it } from "node:test";
import tls from "node:tls";
import { runtime } from "#platform";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { StunListener } from "../../../src/host/stun-listener.ts";
import { bindingOverTcp, StunStream } from "../../../src/host/stun-stream.ts";
import { makeMessage } from "../../../src/stun/attribute.ts";
import { BINDING, reflexiveAddress } from "../../../src/stun/binding.ts";
import { StreamFrames } from "../../../src/stun/framing.ts";
import { decodeMessage, encodeMessage } from "../../../src/stun/message.ts";
import { BindingResponder } from "../../../src/stun/responder.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";

const OWN = runtime
  .interfaces()
  .filter(({ internal }) => internal)
  .map(({ address }) => address);

async function listening(address: string, body: (listener: StunListener) => Promise<void>): Promise<void> {
  await assertNothingLeft(async () => {
    const listener = await StunListener.listen(net, { address, port: 0 }, new BindingResponder(), runtime);
    try {
      await body(listener);
    } finally {
      await listener.close();
    }
  });
}

/** A server that does with each connection what the test wants. */
async function serving(
  onSocket: (socket: net.Socket) => void,
  body: (server: SocketAddress) => Promise<void>,
): Promise<void> {
  await assertNothingLeft(async () => {
    const server = net.createServer(onSocket).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      await body({ address: "127.0.0.1", port: (server.address() as AddressInfo).port });
    } finally {
      server.close();
      await once(server, "close");
    }
  });
}

const asking = (last: number): Uint8Array =>
  encodeMessage(makeMessage("request", BINDING, new Uint8Array(12).fill(last)));

describe("STUN over TCP", () => {
  for (const address of OWN) {
    it(`tells the address of the connection over ${address}`, () =>
      listening(address, async ({ local }) => {
        const seen = await bindingOverTcp(net, local, runtime, { local: { address } });
        assert.equal(seen.address, address);
        assert.notEqual(seen.port, local.port);
      }));
  }

  it("answers many requests in one chunk, and a request in many", () =>
    listening("127.0.0.1", async ({ local }) => {
      const socket = net.connect({ host: local.address, port: local.port, noDelay: true });
      const frames = new StreamFrames();
      const answers: number[] = [];
      const all = new Promise<void>((resolve) => {
        socket.on("data", (chunk) => {
          for (const frame of frames.push(chunk)) {
            const message = decodeMessage(frame);
            assert.ok(typeof message !== "string");
            assert.equal(reflexiveAddress(message)?.port, socket.localPort);
            answers.push(message.transactionId[0]!);
          }
          if (answers.length === 4) resolve();
        });
      });
      socket.write(Uint8Array.of(...asking(1), ...asking(2), ...asking(3)));
      for (const byte of asking(4)) socket.write(Uint8Array.of(byte));
      await all;
      assert.deepEqual(answers, [1, 2, 3, 4]);
      socket.destroy();
      await once(socket, "close");
    }));

  it("closes a connection on which something else is spoken", () =>
    listening("127.0.0.1", async ({ local }) => {
      const socket = net.connect(local.port, local.address, () => socket.write("GET / HTTP/1.1\r\n\r\n"));
      socket.on("error", () => {});
      await once(socket, "close");
      assert.equal(socket.bytesRead, 0);
    }));

  it("asks several things at once on one connection, and fails them when it ends", () =>
    listening("127.0.0.1", async (listener) => {
      const { local } = listener;
      const socket = net.connect(local.port, local.address);
      await once(socket, "connect");
      const stream = new StunStream(socket, local, runtime);
      const seen = await Promise.all([1, 2, 3].map(() => stream.requests.binding(local)));
      assert.deepEqual(new Set(seen.map(({ port }) => port)), new Set([socket.localPort]));
      stream.close();
      await assert.rejects(stream.requests.binding(local), { code: "ECONNABORTED" });
      await once(socket, "close");
    }));

  it("asks over TLS as well", () =>
    listening("127.0.0.1", async ({ local }) => {
      const server = tls.createServer(selfSigned("stun.example"), (secure) => {
        const plain = net.connect(local.port, local.address);
        secure
          .on("error", () => plain.destroy())
          .pipe(plain)
          .pipe(secure);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const stream = new StunStream(socket, { address: "127.0.0.1", port }, runtime);
      assert.equal((await stream.requests.binding({ address: "127.0.0.1", port })).address, "127.0.0.1");
      stream.close();
      server.close();
      await once(server, "close");
    }));

  it("fails with the connection's error", async () => {
    const gone = await new Promise<SocketAddress>((resolve) => {
      const server = net.createServer().listen(0, "127.0.0.1", () => {
        const { address, port } = server.address() as AddressInfo;
        server.close(() => resolve({ address, port }));
      });
    });
    await assert.rejects(bindingOverTcp(net, gone, runtime), { code: "ECONNREFUSED" });
    const hangUp = (socket: net.Socket): void => void socket.once("data", () => socket.destroy());
    await serving(hangUp, async (server) => {
      await assert.rejects(bindingOverTcp(net, server, runtime), { code: "ECONNRESET" });
    });
    const babble = (socket: net.Socket): void => void socket.resume().end("220 mail.example ESMTP\r\n");
    await serving(babble, async (server) => {
      await assert.rejects(bindingOverTcp(net, server, runtime), { code: "EPROTO" });
    });
  });

  it("stops when its signal aborts", () =>
    serving(
      (socket) => socket.resume(),
      async (server) => {
        const reason = new Error("enough");
        const abort = new AbortController();
        const pending = bindingOverTcp(net, server, runtime, { signal: abort.signal });
        abort.abort(reason);
        await assert.rejects(pending, reason);
        await assert.rejects(bindingOverTcp(net, server, runtime, { signal: abort.signal }), reason);
      },
    ));
});
