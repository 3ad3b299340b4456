import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { openTunnel } from "../../../src/platform/node-tunnel.ts";
import { LocalProxy } from "../../kit/local-proxy.ts";
import { type ProxyStep, ScriptedProxy } from "../../kit/scripted-proxy.ts";

const target = { host: "example.org", port: 443 };
const never = new AbortController().signal;
const head = { hear: "\r\n\r\n" } as const;
const hello = { hear: Buffer.of(5, 2, 0, 2) } as const;
const request = { hear: Buffer.of(5, 1, 0) } as const;

interface Failure extends Error {
  readonly code?: string;
  readonly status?: number;
}

/** Opens a tunnel by a script; both must be gone afterwards. Gives the error, which tells no credentials. */
async function failing(scheme: string, ...script: ProxyStep[]): Promise<Failure> {
  const proxy = await ScriptedProxy.start(...script);
  const opening = openTunnel(`${scheme}://me:hush-hush@127.0.0.1:${proxy.port}`, target, never);
  const error = await opening.then(
    () => assert.fail("it opened"),
    (reason: Failure) => reason,
  );
  await proxy.left;
  await proxy.stop();
  const token = Buffer.from("me:hush-hush").toString("base64");
  const told = inspect(error, { depth: null, showHidden: true });
  for (const secret of ["hush", token]) assert.equal(told.includes(secret), false, told);
  return error;
}

/** Opens a tunnel by a script that says more right away. */
async function opening(url: (port: number) => string, ...script: ProxyStep[]): Promise<[string, Buffer]> {
  const proxy = await ScriptedProxy.start(...script, { say: "early bird" }, "end");
  const socket = await openTunnel(url(proxy.port), target, never);
  const chunks = await socket.toArray();
  socket.end();
  await proxy.left;
  await proxy.stop();
  return [Buffer.concat(chunks).toString(), proxy.heard];
}

describe("a tunnel through an HTTP proxy", () => {
  it("is asked for by name, with credentials, and begins after the answer", async () => {
    const say = "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\nVia: x\r\n\r\n";
    const [text, heard] = await opening((port) => `http://me:h%40sh@127.0.0.1:${port}`, head, { say });
    assert.equal(text, "early bird");
    const token = Buffer.from("me:h@sh").toString("base64");
    const lines = [
      "CONNECT example.org:443 HTTP/1.1",
      "Host: example.org:443",
      `Proxy-Authorization: Basic ${token}`,
    ];
    assert.equal(heard.toString(), `${lines.join("\r\n")}\r\n\r\n`);
  });

  it("needs no credentials where the URL has none, and outlasts interim answers", async () => {
    const say = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204\r\n\r\n";
    const [text, heard] = await opening((port) => `http://127.0.0.1:${port}`, head, { say });
    assert.equal(text, "early bird");
    assert.doesNotMatch(heard.toString(), /authorization/i);
  });

  it("is refused with the proxy's own words, and no more of them than fit a line", async () => {
    const answers = {
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n": [
        407,
        "said 407 Proxy Authentication Required",
      ],
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!": [403, "said 403 Forbidden"],
      "HTTP/1.0 502\r\n\r\n": [502, "said 502"],
      [`HTTP/1.1 500 ${"a".repeat(99)}\r\n\r\n`]: [500, `said 500 ${"a".repeat(64)}`],
      "HTTP/1.1 500 a\u001b[31mb\r\n\r\n": [500, "said 500 a"],
    } as const;
    for (const [say, [status, words]] of Object.entries(answers)) {
      const { code, message, status: told } = await failing("http", head, { say });
      assert.equal(code, "ERR_1TP_PROXY_FAILED");
      assert.equal(told, status);
      assert.match(message, new RegExp(`^the proxy did not connect: http://127.0.0.1:\\d+ ${words}$`));
    }
  });

  it("fails as soon as the answer cannot be HTTP, or is too long", async () => {
    const endless = `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(4096)}`;
    for (const say of [
      "SSH-2.0-x\r\n",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.1 999 x\r\n\r\n",
      "\r\n\r\n",
      Buffer.alloc(64),
      endless,
    ]) {
      const { code, message } = await failing("http", head, { say });
      assert.equal(code, "ERR_1TP_PROXY_FAILED");
      assert.match(message, /does not answer in HTTP$/);
    }
  });

  it("fails when the proxy goes before it has answered", async () => {
    for (const step of ["end", "reset"] as const) {
      const { code, message } = await failing("http", head, { say: "HTTP/1.1 200 OK\r\n" }, step);
      assert.equal(code, "ERR_1TP_PROXY_FAILED");
      assert.match(message, /closed the connection/);
    }
  });
});

describe("a tunnel through a SOCKS5 proxy", () => {
  const welcome = { say: Buffer.of(5, 0) };
  const reply = (code: number, ...rest: number[]): ProxyStep => ({ say: Buffer.of(5, code, 0, ...rest) });
  const ipv4 = [1, 0, 0, 0, 0, 0, 0];

  it("is asked for by name, with credentials, and begins after the answer", async () => {
    const [text, heard] = await opening(
      (port) => `socks5h://me:h%40sh@127.0.0.1:${port}`,
      ...[
        hello,
        { say: Buffer.of(5, 2) },
        { hear: "h@sh" },
        { say: Buffer.of(1, 0) },
        request,
        reply(0, ...ipv4),
      ],
    );
    assert.equal(text, "early bird");
    const credentials = Buffer.from("\u0001\u0002me\u0004h@sh");
    const question = Buffer.concat([
      Buffer.of(5, 1, 0, 3, 11),
      Buffer.from("example.org"),
      Buffer.of(1, 187),
    ]);
    assert.deepEqual(heard, Buffer.concat([Buffer.of(5, 2, 0, 2), credentials, question]));
  });

  it("begins after an answer of any form, in whichever pieces it comes", async () => {
    const name = [...Buffer.from("\u0004here"), 0, 0];
    for (const form of [ipv4, [4, ...new Array(18).fill(0)], [3, ...name]]) {
      const pieces = [5, 0, 0, ...form].map((byte) => ({ say: Buffer.of(byte) }));
      const [text] = await opening(
        (port) => `socks5://127.0.0.1:${port}`,
        { hear: Buffer.of(5, 1, 0) },
        welcome,
        {
          hear: "example.org",
        },
        ...pieces,
      );
      assert.equal(text, "early bird");
    }
  });

  it("tells what the proxy found out about the target as net would", async () => {
    for (const [status, code] of [
      [3, "ENETUNREACH"],
      [4, "EHOSTUNREACH"],
      [5, "ECONNREFUSED"],
    ] as const) {
      const error = await failing("socks5", hello, welcome, request, reply(status, ...ipv4));
      assert.equal(error.code, code);
      assert.equal(error.message, `connect ${code} example.org:443`);
      assert.match(
        (error.cause as Error).message,
        /^the proxy did not connect: socks5:\/\/127.0.0.1:\d+ said: /,
      );
    }
  });

  it("is refused in words", async () => {
    const words = {
      1: "general failure",
      2: "not allowed",
      6: "TTL expired",
      7: "command not supported",
      8: "address type not supported",
      200: "reply 200",
    };
    for (const [status, word] of Object.entries(words)) {
      const { code, message } = await failing(
        "socks5",
        hello,
        welcome,
        request,
        reply(Number(status), ...ipv4),
      );
      assert.equal(code, "ERR_1TP_PROXY_FAILED");
      assert.match(message, new RegExp(word));
    }
    const noMethod = await failing("socks5", hello, { say: Buffer.of(5, 255) });
    assert.match(noMethod.message, /another way to prove/);
    const wrong = await failing(
      "socks5",
      hello,
      { say: Buffer.of(5, 2) },
      { hear: "hush" },
      { say: Buffer.of(1, 1) },
    );
    assert.match(wrong.message, /refuses the name or the password/);
    for (const { code } of [noMethod, wrong]) assert.equal(code, "ERR_1TP_PROXY_FAILED");
  });

  it("fails as soon as the answer is not SOCKS5, and when the proxy goes", async () => {
    const scripts: readonly ProxyStep[][] = [
      [{ say: "HTTP/1.1 400 Bad Request\r\n\r\n" }],
      [{ say: Buffer.of(4, 90) }],
      [{ say: Buffer.of(5, 77) }],
      [welcome, request, { say: Buffer.of(4, 0, 0, 1, 0) }],
      [welcome, request, reply(0, 9, 0)],
      [{ say: Buffer.of(5, 2) }, { hear: "hush" }, { say: Buffer.from("\u0001\u0000too much") }],
      [welcome, request, reply(0, 3, 255), "end"],
      [{ say: Buffer.of(5) }, "end"],
      ["reset"],
    ];
    for (const script of scripts) {
      const { code } = await failing("socks5", hello, ...script);
      assert.equal(code, "ERR_1TP_PROXY_FAILED");
    }
  });
});

describe("a tunnel", () => {
  it("says which proxy cannot be reached, and why", async () => {
    const proxy = await ScriptedProxy.start();
    await proxy.stop();
    for (const scheme of ["http", "https", "socks5"]) {
      await assert.rejects(
        openTunnel(`${scheme}://127.0.0.1:${proxy.port}`, target, never),
        (error: Failure) => {
          assert.equal(error.code, "ERR_1TP_PROXY_FAILED");
          assert.match(error.message, /:\/\/127.0.0.1:\d+ cannot be reached: connect ECONNREFUSED/);
          assert.equal((error.cause as Failure).code, "ECONNREFUSED");
          return true;
        },
      );
    }
  });

  it("does not repeat a URL that names no proxy", async () => {
    await assert.rejects(openTunnel("socks9://me:hush@example.org", target, never), (error: Failure) => {
      assert.equal(error.code, "ERR_1TP_PROXY_FAILED");
      assert.equal(inspect(error).includes("hush"), false);
      return true;
    });
  });

  it("is not asked for by a name that would be taken for more than a name", async () => {
    for (const host of ["", "a b", "a\r\nX: y", "ü", "a".repeat(256)]) {
      for (const scheme of ["http", "socks5"]) {
        const opening = openTunnel(`${scheme}://127.0.0.1:1`, { host, port: 80 }, never);
        await assert.rejects(opening, { code: "ERR_1TP_BAD_ADDRESS" });
      }
    }
  });

  const stages: readonly (readonly [stage: string, scheme: string, ...script: ProxyStep[]])[] = [
    ["at once", "http"],
    ["after the request", "http", head],
    ["in the answer", "http", head, { say: "HTTP/1.1 2" }],
    ["after the hello", "socks5", hello],
    ["after the password", "socks5", hello, { say: Buffer.of(5, 2) }, { hear: "hush" }],
    ["in the reply", "socks5", hello, { say: Buffer.of(5, 0) }, request, { say: Buffer.of(5, 0, 0, 1) }],
    ["in the TLS handshake", "https", { hear: Buffer.of(0x16, 3) }],
  ];
  for (const [stage, scheme, ...script] of stages) {
    it(`that is aborted ${stage} rejects with the reason and leaves the proxy`, async () => {
      const proxy = await ScriptedProxy.start(...script);
      const controller = new AbortController();
      const reason = new Error("never mind");
      const url = `${scheme}://me:hush@127.0.0.1:${proxy.port}`;
      const opening = openTunnel(url, target, controller.signal);
      const outcome = assert.rejects(opening, (error) => error === reason);
      const expected = script.findLast(
        (step): step is { hear: string | Buffer } => typeof step === "object" && "hear" in step,
      );
      while (expected && !proxy.heard.includes(expected.hear)) await new Promise(setImmediate);
      controller.abort(reason);
      await outcome;
      // What never came cannot leave.
      if (!expected) await once(connect(proxy.port, "127.0.0.1").end().resume(), "close");
      await proxy.left;
      await proxy.stop();
    });
  }

  it("that is aborted before it begins reaches nobody", async () => {
    const reason = new Error("never mind");
    const opening = openTunnel("http://127.0.0.1:1", target, AbortSignal.abort(reason));
    await assert.rejects(opening, (error) => error === reason);
  });

  it("carries bytes both ways and half-closes, by name, through each kind of proxy", async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    for (const scheme of ["http", "socks5"] as const) {
      const user = "me:hush";
      const proxy = await LocalProxy.start({ scheme, user, names: { "hidden.onion": "127.0.0.1" } });
      const socket = await openTunnel(proxy.urlWith(user), { host: "hidden.onion", port }, never);
      assert.equal(await conversation(socket), "hello");
      assert.deepEqual(proxy.asked, [`hidden.onion:${port}`]);
      await proxy.stop();
    }
    server.close();
    await once(server, "close");
  });
});

async function conversation(socket: Socket): Promise<string> {
  socket.end("hello");
  const chunks = await socket.toArray();
  return Buffer.concat(chunks).toString();
}
