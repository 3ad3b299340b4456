import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { inspect, promisify } from "node:util";
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import {
  net,
  RelayTransport,
  TcpTransport,
  type TcpTransportOptions,
  WebSocketSignaling,
  WebSocketTransport,
  type WebSocketTransportOptions,
} from "../../../src/index.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { LocalProxy } from "../../kit/local-proxy.ts";
import { ScriptedProxy } from "../../kit/scripted-proxy.ts";

const names = { "there.test": "127.0.0.1" };
const user = "me:hush-hush";
const schemes = ["http", "socks5"] as const;
const variables = ["HTTPS_PROXY", "NO_PROXY"];

afterEach(() => {
  for (const name of variables) delete process.env[name];
});

type Info = NonNullable<ReturnType<net.Server["address"]>>;

/** An echo server, and where it is for those who reach it by a name that only a proxy knows. */
async function echoServer(transport: TcpTransport | WebSocketTransport): Promise<[net.Server, Info]> {
  const server = net.createServer([transport], (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const { type } = transport;
  const [entry] = await server.listenP([{ transportType: type, transportInfo: { address: "127.0.0.1" } }]);
  const { url, port } = entry!.transportInfo;
  const transportInfo = url
    ? { url: `${url}`.replace("127.0.0.1", "there.test") }
    : { address: "there.test", port: port! };
  return [server, [{ ...entry!, transportInfo }]];
}

async function greet(socket: net.Socket): Promise<string> {
  socket.write("hello");
  const [data] = await once(socket, "data");
  const closed = once(socket, "close");
  socket.end();
  await closed;
  return `${data}`;
}

describe("tcp", () => {
  for (const scheme of schemes) {
    it(`reaches by ${scheme} a name that only the proxy knows, and knows the server's key`, async () => {
      const proxy = await LocalProxy.start({ scheme, user, names });
      const [server, info] = await echoServer(new TcpTransport());
      const transport = new TcpTransport({ proxy: proxy.urlWith(user) });
      const socket = await new net.Socket([transport]).connectP(info);
      assert.deepEqual(socket.remoteAddress?.transportInfo, info[0]!.transportInfo);
      assert.equal(await greet(socket), "hello");
      assert.deepEqual(proxy.asked, [`there.test:${info[0]!.transportInfo.port}`]);
      await server.closeP();
      await proxy.stop();
    });
  }

  it("accepts names only where there is a proxy to look them up", () => {
    const entry = { transportType: "tcp", transportInfo: { address: "there.test", port: 1 } };
    const accepts = (options: TcpTransportOptions): boolean => new TcpTransport(options).accepts(entry);
    assert.equal(accepts({ proxy: "socks5h://127.0.0.1:9050" }), true);
    for (const options of [{}, { proxy: false }] as const) assert.equal(accepts(options), false);
  });

  it("gives literals to the proxy as they are, without zone", async () => {
    const proxy = await LocalProxy.start({ scheme: "socks5" });
    const transport = new TcpTransport({ proxy: proxy.url });
    const dial = (address: string): Promise<unknown> =>
      new net.Socket([transport], { security: "none" })
        .connectP([{ transportType: "tcp", transportInfo: { address, port: 1 } }])
        .catch(() => undefined);
    await dial("127.0.0.1");
    await dial("fe80::1%lo");
    assert.deepEqual(proxy.asked, ["127.0.0.1:1", "fe80:0:0:0:0:0:0:1:1"]);
    await proxy.stop();
  });

  it("is not led by the environment", async () => {
    const proxy = await LocalProxy.start({ scheme: "http" });
    process.env.HTTPS_PROXY = proxy.url;
    const server = net.createServer([new TcpTransport()], (socket) => socket.pipe(socket));
    const info = await server.listenP();
    assert.equal(await greet(await new net.Socket([new TcpTransport()]).connectP(info)), "hello");
    assert.deepEqual(proxy.asked, []);
    await server.closeP();
    await proxy.stop();
  });
});

describe("an https proxy", () => {
  const tls = selfSigned("localhost");

  it("is spoken to in TLS, by those who trust its certificate", { timeout: 30_000 }, async () => {
    const proxy = await LocalProxy.start({ scheme: "https", user, names, tls });
    const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
    await once(echo, "listening");
    const { port } = echo.address() as AddressInfo;
    const folder = mkdtempSync(join(tmpdir(), "1tp-proxy-"));
    writeFileSync(join(folder, "ca.pem"), tls.cert);
    const url = proxy.urlWith(user).replace("127.0.0.1", "localhost");
    const program = new URL("./secure-program.ts", import.meta.url).pathname;
    const run = (env: NodeJS.ProcessEnv) =>
      promisify(execFile)(process.execPath, [...process.execArgv, program, url, `${port}`], { env });
    const { stdout } = await run({ ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") });
    assert.equal(stdout, "hello enough");
    assert.deepEqual(proxy.asked, [`there.test:${port}`]);
    await assert.rejects(run(process.env), (error: { stderr?: string }) => {
      assert.match(`${error.stderr}`, /ERR_1TP_PROXY_FAILED/);
      assert.match(`${error.stderr}`, /cannot be reached: self-signed certificate/);
      assert.equal(`${error.stderr}`.includes("hush"), false);
      return true;
    });
    rmSync(folder, { recursive: true });
    echo.close();
    await proxy.stop();
  });
});

describe("websocket", () => {
  const tls = selfSigned("there.test");
  const servers: readonly (readonly [string, WebSocketTransportOptions, WebSocketTransportOptions])[] = [
    ["ws", {}, {}],
    ["wss", { tls }, { tls: { ca: tls.cert } }],
  ];
  for (const [kind, listening, dialling] of servers) {
    it(`reaches ${kind} URLs through the proxy that is given or that the environment names`, async () => {
      const [server, info] = await echoServer(new WebSocketTransport(listening));
      for (const scheme of schemes) {
        const proxy = await LocalProxy.start({ scheme, user, names });
        const connect = (options: WebSocketTransportOptions): Promise<net.Socket> =>
          new net.Socket([new WebSocketTransport({ ...dialling, ...options })]).connectP(info);
        assert.equal(await greet(await connect({ proxy: proxy.urlWith(user) })), "hello");
        process.env.HTTPS_PROXY = proxy.urlWith(user);
        assert.equal(await greet(await connect({})), "hello");
        process.env.NO_PROXY = "there.test";
        await assert.rejects(connect({}), { code: "ENOTFOUND" });
        delete process.env.NO_PROXY;
        await assert.rejects(connect({ proxy: false }), { code: "ENOTFOUND" });
        assert.equal(proxy.asked.length, 2);
        await proxy.stop();
      }
      await server.closeP();
    });
  }

  it("fails with the proxy's refusal, and tells no credentials", async () => {
    for (const scheme of schemes) {
      const proxy = await LocalProxy.start({ scheme, user });
      const transport = new WebSocketTransport({ proxy: proxy.urlWith("me:not-this") });
      const socket = new net.Socket([transport], { security: "none" });
      const entry = { transportType: "websocket", transportInfo: { url: "ws://there.test" } };
      const error = await socket.connectP([entry]).catch((reason: unknown) => reason);
      assert.equal((error as { code?: string }).code, "ERR_1TP_PROXY_FAILED");
      assert.match(`${error}`, scheme === "http" ? /said 407/ : /refuses the name or the password/);
      const told = inspect([error, socket.report, transport, socket], { depth: null, showHidden: true });
      for (const secret of ["not-this", Buffer.from("me:not-this").toString("base64")]) {
        assert.equal(told.includes(secret), false);
      }
      await proxy.stop();
    }
  });

  it("leaves a proxy that says nothing when the dial is given up, as it leaves one that is not done", async () => {
    for (const script of [[], [{ say: "HTTP/1.1 2" }]] as const) {
      const proxy = await ScriptedProxy.start({ hear: "CONNECT there.test:443" }, ...script);
      const transport = new WebSocketTransport({ proxy: `http://127.0.0.1:${proxy.port}` });
      const socket = new net.Socket([transport], { security: "none" });
      const dial = socket.connectP([
        { transportType: "websocket", transportInfo: { url: "wss://there.test" } },
      ]);
      const outcome = assert.rejects(dial);
      while (!proxy.heard.includes("CONNECT")) await new Promise(setImmediate);
      socket.destroy();
      await Promise.all([outcome, proxy.left]);
      await proxy.stop();
    }
  });

  it("fails with what is wrong with the environment, without repeating it", async () => {
    process.env.HTTPS_PROXY = "socks4://me:hush@there.test";
    const socket = new net.Socket([new WebSocketTransport()], { security: "none" });
    const entry = { transportType: "websocket", transportInfo: { url: "wss://there.test" } };
    await assert.rejects(socket.connectP([entry]), (error: Error & { code?: string }) => {
      assert.equal(error.code, "ERR_1TP_PROXY_FAILED");
      assert.equal(inspect(error, { depth: null }).includes("hush"), false);
      return true;
    });
  });
});

/** A port that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("relay", () => {
  for (const scheme of schemes) {
    it(`meets at a registrar that only the ${scheme} proxy knows, whatever the dial policy says of names`, async () => {
      const proxy = await LocalProxy.start({ scheme, user, names });
      const port = await freePort();
      const url = `ws://there.test:${port}`;
      const registrar = await createRegistrar({ host: "127.0.0.1", port, stun: false, urls: [url] });
      process.env.HTTPS_PROXY = proxy.urlWith(user);
      const options = [{ url }, { url, proxy: proxy.urlWith(user) }] as const;
      const signalings = options.map((each) => new WebSocketSignaling(each));
      const [ours, theirs] = signalings.map((signaling) => new RelayTransport({ signaling }));
      const server = net.createServer([ours!], (socket) => socket.pipe(socket));
      const info = await server.listenP();
      assert.equal(info[0]!.transportInfo.url, url);
      const dialPolicy = { deny: ["loopback", "private"] } as const;
      assert.equal(await greet(await new net.Socket([theirs!], { dialPolicy }).connectP(info)), "hello");
      assert.deepEqual(new Set(proxy.asked), new Set([`there.test:${port}`]));
      await server.closeP();
      await Promise.all(signalings.map((signaling) => signaling.close()));
      await registrar.close();
      await proxy.stop();
    });
  }

  it("says what the proxy says when there is no registrar", async () => {
    const proxy = await LocalProxy.start({ scheme: "http", user });
    const signaling = new WebSocketSignaling({ url: "ws://there.test", proxy: proxy.url });
    await assert.rejects(signaling.register({ transportType: "test", onDialog() {} }), {
      code: "ERR_1TP_PROXY_FAILED",
      status: 407,
    });
    await signaling.close();
    await proxy.stop();
  });
});
