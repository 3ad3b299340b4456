import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { environmentProxy } from "../../../src/base/environment-proxy.ts";
import { formatProxy, type ProxyServer, parseProxy } from "../../../src/base/proxy.ts";
import { speakConnect } from "../../../src/platform/node-connect.ts";
import type { ProxyTalk, SpeakToProxy } from "../../../src/platform/node-proxy-talk.ts";
import { speakSocks } from "../../../src/platform/node-socks.ts";
import { randomRuns } from "../../kit/random-runs.ts";

const secret = "hush-hush";
const server: ProxyServer = { scheme: "http", host: "there.test", port: 1, username: "me", password: secret };
const target = { host: "example.org", port: 443 };

/** More is never asked for at once: a name of 255 bytes and a port. */
const MOST_WANTED = 257;

/** Answers with these bytes; gives what the talk came to, if it did, and how many bytes it took. */
function answer(
  speak: SpeakToProxy,
  bytes: Uint8Array,
): { end: IteratorResult<number, Error | undefined>; taken: number } {
  const talk: ProxyTalk = speak(server, target, () => {});
  let taken = 0;
  let step = talk.next();
  while (!step.done && taken + step.value <= bytes.length) {
    assert.ok(step.value >= 1 && step.value <= MOST_WANTED, `${step.value} bytes`);
    const piece = bytes.subarray(taken, taken + step.value);
    taken += step.value;
    step = talk.next(piece);
  }
  if (step.done && step.value) {
    const { message, cause } = step.value;
    assert.equal(`${message} ${cause}`.includes(secret), false);
    assert.match(message, /^[ -~]{1,200}$/);
  }
  return { end: step, taken };
}

const garbage = fc.uint8Array({ maxLength: 600 });

/** Something like what proxies say, with a few bytes changed. */
function nearly(...answers: string[]): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(99), fc.nat(255));
  return fc
    .tuple(fc.constantFrom(...answers), fc.array(change, { maxLength: 3 }), garbage)
    .map(([text, changes, rest]) => {
      const bytes = Buffer.concat([Buffer.from(text, "latin1"), rest]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
}

const http = nearly(
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 407 No\r\nA: b\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\n\r\n",
);
const socks = nearly(
  "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
  "\x05\x02\x01\x00\x05\x00\x00\x04\x00\x00",
  "\x05\x02\x01\x00\x05\x05\x00\x03\x02ab\x00\x00",
);

describe("whatever a proxy answers", () => {
  it("an HTTP talk ends well, or with an error that fits a line, or wants more", () => {
    fc.assert(
      fc.property(fc.oneof(garbage, http), (bytes) => void answer(speakConnect, bytes)),
      randomRuns(2_000),
    );
  });

  it("a SOCKS5 talk ends well, or with an error that fits a line, or wants more", () => {
    fc.assert(
      fc.property(fc.oneof(garbage, socks), (bytes) => void answer(speakSocks, bytes)),
      randomRuns(2_000),
    );
  });

  it("an HTTP talk takes no more than it bears", () => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${"a".repeat(65_536)}`);
    const { end, taken } = answer(speakConnect, bytes);
    assert.equal(end.done, true);
    assert.ok(taken <= 16_385);
  });
});

describe("whatever names a proxy", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .tuple(fc.constantFrom("http://", "socks5h://", "https://u:p@", "[", "socks5://%"), fc.string())
      .map((parts) => parts.join("")),
  );

  it("it is none, or one that is shown as itself", () => {
    fc.assert(
      fc.property(text, (url) => {
        const proxy = parseProxy(url);
        if (!proxy) return;
        assert.deepEqual(parseProxy(formatProxy(proxy)), { ...proxy, username: "", password: "" });
      }),
      randomRuns(2_000),
    );
  });

  it("the environment's rules hold or do not, and never throw", () => {
    fc.assert(
      fc.property(text, fc.string(), fc.nat(65_535), (rules, host, port) => {
        const variables: Readonly<Record<string, string>> = { HTTPS_PROXY: "a", NO_PROXY: rules };
        const proxy = environmentProxy((name) => variables[name], host, port);
        assert.ok(proxy === "a" || proxy === undefined);
      }),
      randomRuns(2_000),
    );
  });
});
