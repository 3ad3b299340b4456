import assert from "node:assert/strict";
import test from "node:test";
import { formatStunUri, parseStunUri } from "../../../src/stun/uri.ts";

test("a URI names a server (the examples of RFC 7064 and RFC 7065)", () => {
  const stun = { scheme: "stun", secure: false, host: "example.org", port: 3478 } as const;
  const turns = { scheme: "turn", secure: true, host: "example.org", port: 5349 } as const;
  assert.deepEqual(parseStunUri("stun:example.org"), stun);
  assert.deepEqual(parseStunUri("stuns:example.org"), { ...stun, secure: true, port: 5349 });
  assert.deepEqual(parseStunUri("stun:example.org:8000"), { ...stun, port: 8000 });
  assert.deepEqual(parseStunUri("turn:example.org"), { ...stun, scheme: "turn" });
  assert.deepEqual(parseStunUri("turns:example.org"), turns);
  assert.deepEqual(parseStunUri("turn:example.org:8000"), { ...stun, scheme: "turn", port: 8000 });
  assert.deepEqual(parseStunUri("turn:example.org?transport=udp"), {
    ...stun,
    scheme: "turn",
    transport: "udp",
  });
  assert.deepEqual(parseStunUri("turns:example.org:443?transport=tcp"), {
    ...turns,
    port: 443,
    transport: "tcp",
  });
});

test("a URI names literals in their canonical form", () => {
  assert.equal(parseStunUri("stun:5.0.0.1")?.host, "5.0.0.1");
  assert.equal(parseStunUri("STUN:[2A01:0::1]:5")?.host, "2a01::1");
  assert.equal(parseStunUri("stun:[::ffff:5.0.0.1]")?.host, "5.0.0.1");
  assert.equal(parseStunUri("stun:Example.ORG")?.host, "example.org");
});

test("what is no such URI is none", () => {
  const none = [
    "",
    "stun:",
    "http:example.org",
    "stun://example.org",
    "stun:user@example.org",
    "stun:example.org:",
    "stun:example.org:0",
    "stun:example.org:65536",
    "stun:example.org:123456",
    "stun:example.org?transport=udp",
    "turn:example.org?transport=sctp",
    "turn:example.org?transport=udp&x",
    "stun:1.2.3",
    "stun:1.2.3.04",
    "stun:::1",
    "stun:[1.2.3.4]",
    "stun:[fe80::1%eth0]",
    "stun:exa mple",
    `stun:${"a".repeat(256)}`,
    `stun:${"a".repeat(100_000)}`,
  ];
  for (const text of none) assert.equal(parseStunUri(text), undefined, text.slice(0, 40));
});

test("a server's URI names it again", () => {
  for (const uri of ["stun:a.b:1", "stuns:[2a01::1]:5349", "turn:5.0.0.1:3478?transport=tcp"]) {
    assert.equal(formatStunUri(parseStunUri(uri)!), uri);
  }
});
