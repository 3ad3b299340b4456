import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkProxy, formatProxy, isHostName, parseProxy } from "../../../src/base/proxy.ts";

const none = { username: "", password: "" };

describe("the URL of a proxy", () => {
  it("says how, where and as whom", () => {
    const known = {
      "http://example.org": { scheme: "http", host: "example.org", port: 80, ...none },
      "https://example.org/": { scheme: "https", host: "example.org", port: 443, ...none },
      "socks5://127.0.0.1": { scheme: "socks5", host: "127.0.0.1", port: 1080, ...none },
      "socks5h://[::1]:9050": { scheme: "socks5", host: "::1", port: 9050, ...none },
      "proxy.example.org:3128": { scheme: "http", host: "proxy.example.org", port: 3128, ...none },
      "HTTP://a:b@c:1": { scheme: "http", host: "c", port: 1, username: "a", password: "b" },
      "socks5://a%40b:%3a%c3%bc@c:1": {
        scheme: "socks5",
        host: "c",
        port: 1,
        username: "a@b",
        password: ":ü",
      },
    };
    for (const [text, proxy] of Object.entries(known)) assert.deepEqual(parseProxy(text), proxy, text);
  });

  it("is none with another scheme, no host, no port, more than a host, or credentials that nobody can send", () => {
    const wrong = [
      ...["", "socks4://a", "ftp://a", "http://", "http://a:0", "http://a:65536", "http://a/b", "http://a?b"],
      ...[
        "socks5://a#b",
        "http://%zz:b@c",
        `http://${"a".repeat(256)}@b`,
        `socks5://a:${"%c3%bc".repeat(128)}@b`,
      ],
    ];
    for (const text of wrong) assert.equal(parseProxy(text), undefined, text);
  });

  it("is shown without credentials", () => {
    assert.equal(formatProxy(parseProxy("socks5h://me:hush@[::1]:9050")!), "socks5://[::1]:9050");
  });
});

describe("the option proxy", () => {
  it("is absent, false or a URL", () => {
    for (const good of [undefined, false, "socks5h://127.0.0.1:9050"]) checkProxy(good, true);
    for (const wrong of [true, null, 1, {}, new URL("http://a")]) {
      assert.throws(() => checkProxy(wrong, true), { code: "ERR_INVALID_ARG_TYPE" });
    }
  });

  it("is absent where there are no proxies", () => {
    checkProxy(undefined, false);
    for (const proxy of [false, "http://a"]) {
      assert.throws(() => checkProxy(proxy, false), { code: "ERR_1TP_UNSUPPORTED" });
    }
  });

  it("is not repeated when it is wrong", () => {
    const wrong = "socks9://me:hush@example.org";
    assert.throws(
      () => checkProxy(wrong, true),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_INVALID_ARG_VALUE");
        assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /hush/);
        return true;
      },
    );
  });
});

describe("a host name", () => {
  it("is labels of which the last one begins with a letter", () => {
    for (const name of [
      "a",
      "localhost",
      "a-b.example.org",
      "_x.y",
      "xn--e1afmkfd.xn--p1ai",
      `${"a".repeat(56)}.onion`,
    ]) {
      assert.equal(isHostName(name), true, name);
    }
  });

  it("is nothing that could be taken for an address, nor what breaks a line", () => {
    const wrong = [
      ...[
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "-a",
        "a-",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0x1",
        "a.0x7f",
        "::1",
        "[::1]",
      ],
      ...[
        "a b",
        "a\r\nb",
        "a:1",
        "a/b",
        "a@b",
        "a%b",
        "ü.org",
        `${"a".repeat(64)}.org`,
        `${"a.".repeat(127)}a`,
      ],
    ];
    for (const name of wrong) assert.equal(isHostName(name), false, name);
  });
});
