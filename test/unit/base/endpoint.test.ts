import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint } from "../../../src/base/endpoint.ts";
import type { JsonObject } from "../../../src/contract/endpoint.ts";

const format = (transportInfo: JsonObject): string =>
  formatEndpoint({ transportType: "word", transportInfo });

test("an endpoint reads as its address and port, its URL, or its word alone", () => {
  assert.equal(format({ address: "192.0.2.1", port: 80 }), "word 192.0.2.1:80");
  assert.equal(format({ address: "2001:db8::1", port: 80 }), "word [2001:db8::1]:80");
  assert.equal(format({ url: "wss://example.org/1tp" }), "word wss://example.org/1tp");
  for (const info of [{}, { address: 1 }, { url: 1 }, { url: "no URL" }, { name: "x" }]) {
    assert.equal(format(info as JsonObject), "word");
  }
});

test("what a stranger puts into a word or an address neither breaks a line nor steers a terminal", () => {
  const odd = "\n\u001b[31m\u2028\u009b\u202e";
  const entry = { transportType: `tcp${odd}`, transportInfo: { address: `::1${odd}`, port: 1 } };
  assert.equal(formatEndpoint(entry), "tcp??[31m??? [::1??[31m???]:1");
});

test("what a stranger puts into a URL neither breaks a line nor steers a terminal", () => {
  assert.match(format({ url: "ws://example.org/\n\u001b[31m\u2028\u009b" }), /^word [!-~]*$/);
});
