import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import {
  net,
  RelayTransport,
  TcpTransport,
  type Transport,
  WebSocketSignaling,
  WebSocketTransport,
} from "../../../src/index.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { type Daemon, FORBIDDEN, startDante, startTinyproxy, withUser } from "./daemons.ts";

type Info = NonNullable<ReturnType<net.Server["address"]>>;

const kinds = [
  {
    name: "dante",
    start: startDante,
    urlOf: ({ url }: Daemon) => url,
    refusal: { status: 2, words: /not allowed/ },
  },
  {
    name: "tinyproxy",
    start: startTinyproxy,
    urlOf: ({ url }: Daemon) => withUser(url),
    refusal: { status: 403, words: /said 403/ },
  },
] as const;

async function echoServer(transport: Transport): Promise<[net.Server, Info]> {
  const server = net.createServer([transport], (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const address = [{ transportType: transport.type, transportInfo: { address: "127.0.0.1" } }];
  return [server, await server.listenP(address)];
}

async function greet(info: Info, transport: Transport): Promise<void> {
  const socket = await new net.Socket([transport]).connectP(info);
  socket.write("hello");
  const [data] = await once(socket, "data");
  assert.equal(`${data}`, "hello");
  const closed = once(socket, "close");
  socket.end();
  await closed;
}

function named(info: Info, name: string): Info {
  return info.map((entry) => {
    const { url, port } = entry.transportInfo;
    const transportInfo = url ? { url: `${url}`.replace("127.0.0.1", name) } : { address: name, port: port! };
    return { ...entry, transportInfo };
  });
}

for (const { name, start, urlOf, refusal } of kinds) {
  describe(`through ${name}`, () => {
    let daemon: Daemon;
    let proxy: string;
    before(async () => {
      daemon = await start();
      proxy = urlOf(daemon);
    });
    after(() => daemon.stop());

    it("tcp reaches addresses, and names that the proxy looks up", async () => {
      const [server, info] = await echoServer(new TcpTransport());
      await greet(info, new TcpTransport({ proxy }));
      await greet(named(info, "localhost"), new TcpTransport({ proxy }));
      await server.closeP();
    });

    it("websocket reaches a wss URL, whose certificate is that of the server", async () => {
      const tls = selfSigned("localhost");
      const [server, info] = await echoServer(new WebSocketTransport({ tls }));
      const trusting = new WebSocketTransport({ proxy, tls: { ca: tls.cert } });
      await greet(named(info, "localhost"), trusting);
      await assert.rejects(greet(named(info, "localhost"), new WebSocketTransport({ proxy })), {
        code: "DEPTH_ZERO_SELF_SIGNED_CERT",
      });
      await server.closeP();
    });

    it("relay meets at the registrar", async () => {
      const registrar = await createRegistrar({ host: "127.0.0.1", stun: false });
      const [ours, theirs] = [1, 2].map(() => new WebSocketSignaling({ url: registrar.url, proxy }));
      const server = net.createServer([new RelayTransport({ signaling: ours! })], (socket) =>
        socket.pipe(socket),
      );
      await greet(await server.listenP(), new RelayTransport({ signaling: theirs! }));
      await server.closeP();
      await Promise.all([ours!.close(), theirs!.close()]);
      await registrar.close();
    });

    it("a refusal says who refuses, and why", async () => {
      const socket = new net.Socket([new TcpTransport({ proxy })], { security: "none" });
      const entry = { transportType: "tcp", transportInfo: { address: FORBIDDEN, port: 9 } };
      await assert.rejects(socket.connectP([entry]), (error: Error & { code?: string; cause?: unknown }) => {
        const [cause] = (error.cause as AggregateError).errors as (Error & { status?: number })[];
        assert.equal(error.code, "ERR_1TP_PROXY_FAILED");
        assert.equal(cause!.status, refusal.status);
        assert.match(cause!.message, refusal.words);
        assert.equal(`${error.stack}`.includes("hush"), false);
        return true;
      });
    });

    it("the end of the proxy is the end of the connection, and dials say that it is gone", async () => {
      const mortal = await start();
      const proxyUrl = urlOf(mortal);
      const [server, info] = await echoServer(new TcpTransport());
      const socket = await new net.Socket([new TcpTransport({ proxy: proxyUrl })]).connectP(info);
      socket.write("hello");
      await once(socket, "data");
      const lost = assert.rejects(once(socket, "close"), { code: "ECONNRESET" });
      await mortal.stop();
      await lost;
      await assert.rejects(greet(info, new TcpTransport({ proxy: proxyUrl })), {
        code: "ERR_1TP_PROXY_FAILED",
        message: /cannot be reached: connect ECONNREFUSED/,
      });
      await server.closeP();
    });
  });
}

it("tinyproxy tells whom it does not know", async () => {
  const daemon = await startTinyproxy();
  for (const proxy of [daemon.url, daemon.url.replace("//", "//me:wrong@")]) {
    const socket = new net.Socket([new TcpTransport({ proxy })], { security: "none" });
    const entry = { transportType: "tcp", transportInfo: { address: "127.0.0.1", port: 9 } };
    await assert.rejects(socket.connectP([entry]), { code: "ERR_1TP_PROXY_FAILED", message: /said 40[17] / });
  }
  await daemon.stop();
});
