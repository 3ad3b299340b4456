import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, get, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { runtime } from "#platform";
import { codeOf, OnetpError } from "../../../src/base/errors.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { DialContext, ListenContext, Listener } from "../../../src/contract/transport.ts";
import { WebSocketTransport, type WebSocketTransportOptions } from "../../../transports/websocket/index.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { converse, echo } from "../../conformance/station.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";

const dialContext: DialContext = { runtime, signal: new AbortController().signal, onPhase() {} };

function listenContext(address = "127.0.0.1", rest: Partial<ListenContext> = {}): ListenContext {
  return {
    runtime,
    listeningInfo: [{ transportType: "websocket", transportInfo: { address } }],
    exclusive: false,
    onChannel: echo,
    onError: assert.fail,
    ...rest,
  };
}

function check(fact: string, body: () => Promise<void>): void {
  test(fact, { timeout: 30_000 }, () => assertNothingLeft(body));
}

/** Listens, lets `body` look, closes. */
async function listening(
  options: WebSocketTransportOptions,
  body: (listener: Listener, url: string) => Promise<void>,
  context = listenContext(),
): Promise<void> {
  const listener = await new WebSocketTransport(options).listen!(context);
  try {
    await body(listener, String(listener.endpoints[0]?.transportInfo.url));
  } finally {
    await listener.close();
  }
}

function endpoint(url: string): Endpoint {
  return { transportType: "websocket", transportInfo: { url } };
}

async function talk(url: string, options: WebSocketTransportOptions = {}): Promise<void> {
  await converse(await new WebSocketTransport(options).dial(endpoint(url), dialContext));
}

async function refused(url: string, code: string, status?: number): Promise<void> {
  const dial = new WebSocketTransport().dial(endpoint(url), dialContext);
  await assert.rejects(dial, (error) => {
    assert.equal(codeOf(error), code);
    if (status !== undefined) assert.match(String(error), new RegExp(`${status}`));
    return true;
  });
}

async function opened(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** The HTTP status a browser's page of that origin is refused with, or 101. */
function statusFor(url: string, origin: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { origin });
    socket.on("unexpected-response", (request, response) => {
      request.destroy();
      resolve(response.statusCode);
    });
    socket.on("open", () => {
      socket.on("close", () => resolve(101));
      socket.terminate();
    });
    socket.on("error", reject);
  });
}

describe("a websocket listener", () => {
  check("takes its path alone, and says what it is to who asks otherwise", () =>
    listening({ path: "/a/b" }, async (_, url) => {
      assert.match(url, /^ws:\/\/127\.0\.0\.1:\d+\/a\/b$/);
      await talk(url);
      await talk(`${url}?query`);
      await talk(url.replace("ws:", "http:"));
      await refused(url.replace("/a/b", "/a"), "ERR_1TP_WEBSOCKET_REFUSED", 404);
      const [response] = await once(get(url.replace("ws:", "http:")), "response");
      assert.equal(response.statusCode, 404);
      response.resume();
      await once(response, "end");
    }),
  );

  check("refuses pages of other origins than it was told, and nobody who is no page", () =>
    listening({ origins: ["https://example.org"] }, async (_, url) => {
      assert.equal(await statusFor(url, "https://example.org"), 101);
      assert.equal(await statusFor(url, "https://example.com"), 403);
      await talk(url);
    }),
  );

  check("speaks TLS with a certificate that the dialler trusts", async () => {
    const tls = selfSigned("localhost");
    await listening({ tls }, async (_, url) => {
      assert.match(url, /^wss:/);
      const named = url.replace("127.0.0.1", "localhost");
      await talk(named, { tls: { ca: tls.cert } });
      await talk(named.replace("wss:", "https:"), { tls: { ca: tls.cert } });
      await refused(named, "DEPTH_ZERO_SELF_SIGNED_CERT");
    });
  });

  check("announces the URLs it was told", () =>
    listening({ urls: ["wss://example.org/x", "https://example.org/y"] }, async ({ endpoints }) => {
      assert.deepEqual(endpoints, [endpoint("wss://example.org/x"), endpoint("https://example.org/y")]);
    }),
  );

  check("announces every own address, none of them with a zone", () =>
    listening(
      {},
      async ({ endpoints }) => {
        assert.ok(endpoints.length > 0);
        for (const { transportInfo } of endpoints) assert.doesNotMatch(String(transportInfo.url), /%|fe80/);
        await talk(String(endpoints[0]!.transportInfo.url));
      },
      listenContext("::"),
    ),
  );

  check("listens again at a URL of its own", async () => {
    let first: readonly Endpoint[] = [];
    await listening({}, async ({ endpoints }) => {
      first = endpoints;
    });
    const context = { ...listenContext(), listeningInfo: first, exclusive: true };
    await listening({}, async ({ endpoints }) => assert.deepEqual(endpoints, first), context);
  });
});

describe("a websocket listener at somebody's server", () => {
  check("shares it with the server's own pages and WebSockets, and leaves it open", async () => {
    const server = createHttpServer((_, response) => response.end("a page"));
    const others = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/other") return;
      others.handleUpgrade(request, socket, head, (webSocket) => webSocket.terminate());
    });
    const base = await opened(server);
    await listening({ server }, async (_, url) => {
      assert.equal(url, `${base}/1tp`);
      await talk(url);
      assert.equal(await statusFor(`${base}/other`, "https://example.org"), 101);
      const [response] = await once(get(base.replace("ws:", "http:")), "response");
      assert.equal(response.statusCode, 200);
      response.resume();
      await once(response, "end");
    });
    assert.equal(server.listening, true);
    assert.equal(server.listenerCount("upgrade"), 1);
    await closed(server);
  });

  check("waits for it to listen, and refuses other paths where nobody else takes them", async () => {
    const server = createHttpServer();
    const one = listening({ server }, async (_, url) => {
      await refused(url.replace("/1tp", "/else"), "ERR_1TP_WEBSOCKET_REFUSED", 404);
      await listening({ server, path: "/two" }, async (_listener, other) => {
        await Promise.all([talk(url), talk(other)]);
      });
      await refused(url.replace("/1tp", "/two"), "ERR_1TP_WEBSOCKET_REFUSED", 404);
      await assert.rejects(
        new WebSocketTransport({ server }).listen!(listenContext()),
        (error) => codeOf(error) === "EADDRINUSE",
      );
    });
    await opened(server);
    await one;
    assert.equal(server.listenerCount("upgrade"), 0);
    await closed(server);
  });

  check("is secure where the server is, and fails with a server that cannot listen", async () => {
    const tls = selfSigned("localhost");
    const server = createHttpsServer(tls);
    await opened(server);
    await listening({ server }, async (_, url) => {
      assert.match(url, /^wss:/);
      await talk(url.replace("127.0.0.1", "localhost"), { tls: { ca: tls.cert } });
    });
    const second = createHttpServer();
    const attempt = new WebSocketTransport({ server: second }).listen!(listenContext());
    second.listen((server.address() as AddressInfo).port, "127.0.0.1");
    await assert.rejects(attempt, (error) => codeOf(error) === "EADDRINUSE");
    await closed(server);
  });
});

describe("a websocket dial", () => {
  check("tells what answered that is no WebSocket", async () => {
    const server = createHttpServer((_, response) => response.writeHead(418).end());
    server.on("upgrade", (_, socket) => {
      socket.end("HTTP/1.1 302 Found\r\nLocation: ws://192.0.2.1/\r\nConnection: close\r\n\r\n");
    });
    const url = await opened(server);
    const dial = new WebSocketTransport().dial(endpoint(url), dialContext);
    await assert.rejects(dial, (error) => {
      assert.ok(error instanceof OnetpError);
      assert.deepEqual([error.code, error.phase], ["ERR_1TP_WEBSOCKET_REFUSED", "connect"]);
      assert.match(error.message, /302/);
      return true;
    });
    await closed(server);
  });
});

check("a dial asks the policy where a name leads, unless a proxy looks it up", () =>
  listening({}, async (_listener, url) => {
    const hosts: Record<string, string[]> = {
      localhost: ["127.0.0.1"],
      "in.example": ["8.8.8.8", "10.0.0.1"],
    };
    const asked: string[] = [];
    const lookup = async (name: string): Promise<string[]> => {
      asked.push(name);
      return hosts[name] ?? assert.fail(name);
    };
    const mayDial = (host: string): boolean => host === "127.0.0.1" || host === "8.8.8.8";
    const context = { ...dialContext, runtime: { ...runtime, lookup }, mayDial };
    const named = url.replace("127.0.0.1", "localhost");
    await converse(await new WebSocketTransport().dial(endpoint(named), context));
    await assert.rejects(new WebSocketTransport().dial(endpoint("ws://in.example:9/"), context), {
      code: "ERR_1TP_BAD_ADDRESS",
    });
    assert.deepEqual(asked, ["localhost", "in.example"]);
    const proxied = new WebSocketTransport({ proxy: "http://127.0.0.1:9" });
    await assert.rejects(proxied.dial(endpoint("ws://in.example:9/"), context), {
      code: "ERR_1TP_PROXY_FAILED",
    });
    await converse(await new WebSocketTransport().dial(endpoint(url), context));
    assert.equal(asked.length, 2);
  }),
);

test("URLs that cannot be dialled are not accepted", () => {
  const transport = new WebSocketTransport();
  const accepts = (url: unknown): boolean =>
    transport.accepts({ transportType: "websocket", transportInfo: { url } } as Endpoint);
  for (const url of [
    "ws://example.org",
    "WSS://example.org:8443/a?b",
    "http://192.0.2.1/",
    "https://[2001:db8::1]:1/x",
    "ws://localhost:1",
  ]) {
    assert.equal(accepts(url), true, url);
  }
  for (const url of [
    "",
    "example.org",
    "ftp://example.org",
    "ws:",
    "ws+unix:///tmp/x",
    "ws://user:secret@example.org",
    "ws://example.org/#part",
    "ws://0.0.0.0:1/",
    "ws://0/",
    "ws://224.0.0.1:1/",
    "ws://[::]:1/",
    "ws://[ff02::1]:1/",
    "ws://example.org:0/",
    "ws://example.org:65536/",
    `ws://example.org/${"x".repeat(2048)}`,
  ]) {
    assert.equal(accepts(url), false, url);
  }
});

test("wrong options throw at once", () => {
  for (const [options, code] of [
    [null, "ERR_INVALID_ARG_TYPE"],
    [{ cost: "10" }, "ERR_INVALID_ARG_TYPE"],
    [{ path: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ path: "x" }, "ERR_INVALID_ARG_VALUE"],
    [{ path: "/x?y" }, "ERR_INVALID_ARG_VALUE"],
    [{ server: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ server: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ urls: "ws://example.org" }, "ERR_INVALID_ARG_TYPE"],
    [{ urls: ["ftp://example.org"] }, "ERR_INVALID_ARG_VALUE"],
    [{ origins: ["example.org"] }, "ERR_INVALID_ARG_VALUE"],
    [{ origins: ["https://example.org/"] }, "ERR_INVALID_ARG_VALUE"],
    [{ tls: true }, "ERR_INVALID_ARG_TYPE"],
    [{ maxPayload: "1" }, "ERR_INVALID_ARG_TYPE"],
    [{ maxPayload: 1000 }, "ERR_OUT_OF_RANGE"],
    [{ maxPayload: 65_537 }, "ERR_OUT_OF_RANGE"],
  ] as const) {
    assert.throws(
      () => new WebSocketTransport(options as never),
      (error) => codeOf(error) === code,
      JSON.stringify(options),
    );
  }
});
