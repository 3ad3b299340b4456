import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { environmentProxy, webProxy } from "../../../src/base/environment-proxy.ts";

type Variables = Readonly<Record<string, string>>;

function proxyFor(variables: Variables, host = "example.org", port = 443): string | undefined {
  return environmentProxy((name) => variables[name], host, port);
}

describe("the proxy of the environment", () => {
  it("is that for TLS, else that for all, in small letters first", () => {
    assert.equal(proxyFor({}), undefined);
    assert.equal(proxyFor({ HTTP_PROXY: "a" }), undefined);
    assert.equal(proxyFor({ ALL_PROXY: "a" }), "a");
    assert.equal(proxyFor({ ALL_PROXY: "a", all_proxy: "b" }), "b");
    assert.equal(proxyFor({ ALL_PROXY: "a", HTTPS_PROXY: "c" }), "c");
    assert.equal(proxyFor({ HTTPS_PROXY: "c", https_proxy: "d" }), "d");
    assert.equal(proxyFor({ HTTPS_PROXY: "", ALL_PROXY: "a" }), "a");
  });

  it("is none for what is near", () => {
    const near = [
      "localhost",
      "a.localhost",
      "127.0.0.1",
      "127.9.9.9",
      "::1",
      "10.0.0.1",
      "192.168.1.1",
      "fe80::1",
      "fd00::1",
    ];
    for (const host of near) assert.equal(proxyFor({ HTTPS_PROXY: "a" }, host), undefined, host);
    for (const host of ["8.8.8.8", "2600::1"]) assert.equal(proxyFor({ HTTPS_PROXY: "a" }, host), "a", host);
  });

  const matching: readonly (readonly [rules: string, hosts: readonly string[]])[] = [
    ["*", ["example.org", "8.8.8.8"]],
    ["example.org", ["example.org", "a.example.org", "A.Example.ORG"]],
    [".example.org", ["example.org", "a.example.org"]],
    ["*.example.org", ["a.example.org"]],
    ["other.org, example.org", ["example.org"]],
    ["other.org example.org:443", ["example.org"]],
    ["8.8.8.8", ["8.8.8.8"]],
    ["8.8.0.0/16", ["8.8.4.4"]],
    ["2600:0::1", ["2600::1"]],
    ["[2600::1]:443", ["2600::1"]],
    ["2600::/16", ["2600:1::1"]],
  ];
  for (const [rules, hosts] of matching) {
    it(`is none for ${hosts.join(", ")} with NO_PROXY=${rules}`, () => {
      for (const host of hosts)
        assert.equal(proxyFor({ HTTPS_PROXY: "a", NO_PROXY: rules }, host), undefined, host);
      for (const host of hosts)
        assert.equal(proxyFor({ HTTPS_PROXY: "a", no_proxy: rules }, host), undefined, host);
    });
  }

  const differing: readonly (readonly [rules: string, hosts: readonly string[]])[] = [
    ["", ["example.org"]],
    [" , .", ["example.org", "8.8.8.8"]],
    ["ample.org", ["example.org"]],
    ["example.org:80", ["example.org"]],
    ["example.org.uk", ["example.org"]],
    ["8.8.8.8:80", ["8.8.8.8"]],
    ["8.8.8", ["8.8.8.8"]],
    ["8.8.0.0/33", ["8.8.0.0"]],
    ["8.8.0.0/", ["8.8.0.0"]],
    ["/16", ["8.8.8.8"]],
    ["2600::/16", ["8.8.8.8"]],
  ];
  for (const [rules, hosts] of differing) {
    it(`holds for ${hosts.join(", ")} with NO_PROXY=${rules}`, () => {
      for (const host of hosts)
        assert.equal(proxyFor({ HTTPS_PROXY: "a", NO_PROXY: rules }, host), "a", host);
    });
  }
});

describe("the proxy on the way to a URL", () => {
  const environment = (name: string): string | undefined =>
    ({ HTTPS_PROXY: "a", NO_PROXY: "example.org:80,[2600::1]:8080" })[name];

  it("is the one given, also for what is near", () => {
    assert.equal(webProxy("wss://localhost", "b", environment), "b");
    assert.equal(webProxy("wss://b.org", false, environment), undefined);
  });

  it("is by default that of the environment for its host and port", () => {
    assert.equal(webProxy("wss://example.org/path", undefined, environment), "a");
    assert.equal(webProxy("ws://example.org/path", undefined, environment), undefined);
    assert.equal(webProxy("http://example.org", undefined, environment), undefined);
    assert.equal(webProxy("https://example.org", undefined, environment), "a");
    assert.equal(webProxy("ws://[2600::1]:8080", undefined, environment), undefined);
    assert.equal(webProxy("ws://[2600::1]:8081", undefined, environment), "a");
    assert.equal(webProxy("ws://127.0.0.1:8081", undefined, environment), undefined);
  });
});
