import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../src/base/bytes.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import type { AttributeDraft } from "../../../src/stun/attribute.ts";
import { BINDING } from "../../../src/stun/binding.ts";
import { ERROR_CODE } from "../../../src/stun/errors.ts";
import { checkIntegrity, type IntegrityKey } from "../../../src/stun/integrity.ts";
import { LongTermCredentials } from "../../../src/stun/long-term.ts";
import {
  longTermKey,
  PASSWORD_ALGORITHM,
  PASSWORD_ALGORITHMS,
  type PasswordAlgorithm,
  USERHASH,
  userHash,
} from "../../../src/stun/secrets.ts";
import { NONCE, REALM, USERNAME } from "../../../src/stun/texts.ts";
import { crypto, Exchange, response, SERVER } from "./exchange.ts";

const USER = "マトリックス";
const PASSWORD = "TheMatrIX";
const MAPPED = [XOR_MAPPED_ADDRESS.of({ address: "5.0.0.7", port: 4321 })];
/** Nonces with the cookie: no feature, password algorithms, both. */
const [PLAIN, ALGORITHMS, BOTH] = ["obMatJos2AAAA-1", "obMatJos2AAAB-1", "obMatJos2AAAD-1"];
/** An algorithm of the future with a parameter, SHA-256, MD5. */
const OFFER = Uint8Array.of(0, 9, 0, 1, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0);

function asked(username = USER): Exchange {
  const exchange = new Exchange();
  const credentials = new LongTermCredentials({ crypto, username, password: PASSWORD });
  exchange.client.request({ to: SERVER, method: BINDING, credentials });
  exchange.drain();
  return exchange;
}

function refuse(
  exchange: Exchange,
  code: number,
  nonce: string,
  more: AttributeDraft[] = [],
  realm = "here",
): void {
  const drafts = [ERROR_CODE.of({ code, reason: "" }), REALM.of(realm), NONCE.of(nonce), ...more];
  exchange.receive(response(exchange.last, "error", drafts));
}

function key(
  algorithm: PasswordAlgorithm,
  by: IntegrityKey["algorithm"],
  user = USER,
  realm = "here",
): IntegrityKey {
  return { crypto, algorithm: by, key: longTermKey(crypto, algorithm, user, realm, PASSWORD) };
}

const offer = (bytes = OFFER): AttributeDraft => PASSWORD_ALGORITHMS.of(bytes);

describe("long-term credentials", () => {
  it("are kept back until the server asks for them", () => {
    const { last } = asked();
    assert.deepEqual(
      [USERNAME, USERHASH, REALM, NONCE].filter((kind) => kind.isIn(last)),
      [],
    );
    assert.equal(checkIntegrity(last.bytes, key("md5", "sha1")), undefined);
  });

  it("take an answer from a server that does not ask", () => {
    const exchange = asked();
    exchange.receive(response(exchange.last, "success", MAPPED));
    assert.equal(exchange.events[0]?.type, "response");
  });

  it("answer an old server's 401 with MD5 and SHA-1, in a new transaction", () => {
    const exchange = asked();
    const first = exchange.last;
    refuse(exchange, 401, "1234abcd");
    const { last } = exchange;
    assert.notEqual(toHex(last.transactionId), toHex(first.transactionId));
    assert.deepEqual([USERNAME.in(last), REALM.in(last), NONCE.in(last)], [USER, "here", "1234abcd"]);
    assert.equal(PASSWORD_ALGORITHMS.isIn(last) || PASSWORD_ALGORITHM.isIn(last), false);
    assert.equal(checkIntegrity(last.bytes, key("md5", "sha1")), true);
    exchange.receive(response(last, "success", MAPPED));
    assert.deepEqual([exchange.events, [...exchange.client.drops]], [[], [["forged", 1]]]);
    exchange.receive(response(last, "success", MAPPED, key("md5", "sha1")));
    assert.deepEqual(
      exchange.events.map(({ type, handle }) => [type, handle]),
      [["response", 1]],
    );
  });

  it("answer a new server's 401 with the first algorithm both know, SHA-256 integrity and the offer as it came", () => {
    const exchange = asked();
    refuse(exchange, 401, ALGORITHMS, [offer()]);
    const { last } = exchange;
    assert.equal(toHex(PASSWORD_ALGORITHMS.in(last)!), toHex(OFFER));
    assert.equal(PASSWORD_ALGORITHM.in(last), "sha256");
    assert.equal(checkIntegrity(last.bytes, key("sha256", "sha256")), true);
    assert.equal(checkIntegrity(last.bytes, key("sha256", "sha1")), undefined);
    exchange.receive(response(last, "success", MAPPED, key("sha256", "sha1")));
    assert.equal(exchange.events.length, 0);
    exchange.receive(response(last, "success", MAPPED, key("sha256", "sha256")));
    assert.equal(exchange.events[0]?.type, "response");
  });

  it("use MD5 with SHA-256 integrity where the server offers MD5 alone", () => {
    const exchange = asked();
    refuse(exchange, 401, ALGORITHMS, [offer(Uint8Array.of(0, 1, 0, 0))]);
    assert.equal(checkIntegrity(exchange.last.bytes, key("md5", "sha256")), true);
  });

  it("hide the name from a server that allows it", () => {
    const exchange = asked();
    refuse(exchange, 401, BOTH, [offer()]);
    const { last } = exchange;
    assert.equal(USERNAME.isIn(last), false);
    assert.equal(toHex(USERHASH.in(last)!), toHex(userHash(crypto, USER, "here")));
  });

  it("normalize names, realms and passwords before they hash them", () => {
    const exchange = asked("a\u00a0e\u0301");
    refuse(exchange, 401, "n", [], "re\u0301alm");
    assert.equal(USERNAME.in(exchange.last), "a \u00e9");
    assert.equal(checkIntegrity(exchange.last.bytes, key("md5", "sha1", "a \u00e9", "r\u00e9alm")), true);
  });

  it("take up a new nonce as often as a server may need, and no more", () => {
    const exchange = asked();
    refuse(exchange, 401, "first");
    refuse(exchange, 438, "second");
    assert.equal(NONCE.in(exchange.last), "second");
    refuse(exchange, 438, "third");
    assert.equal(NONCE.in(exchange.last), "third");
    assert.equal(exchange.events.length, 0);
    refuse(exchange, 438, "fourth");
    const [event] = exchange.events;
    assert.ok(event?.type === "response");
    assert.equal(ERROR_CODE.in(event.message)?.code, 438);
  });

  it("are remembered for the next request to the server", () => {
    const exchange = new Exchange();
    const credentials = new LongTermCredentials({ crypto, username: USER, password: PASSWORD });
    exchange.client.request({ to: SERVER, method: BINDING, credentials });
    exchange.drain();
    refuse(exchange, 401, "nonce");
    exchange.receive(response(exchange.last, "success", MAPPED, key("md5", "sha1")));
    exchange.client.request({ to: SERVER, method: 3, credentials });
    exchange.drain();
    assert.deepEqual(
      [exchange.sent.length, NONCE.in(exchange.last), credentials.realm],
      [3, "nonce", "here"],
    );
  });

  it("give up when the server refuses them", () => {
    const exchange = asked();
    refuse(exchange, 401, "first");
    refuse(exchange, 401, "second");
    const [event] = exchange.events;
    assert.ok(event?.type === "response");
    assert.equal(ERROR_CODE.in(event.message)?.code, 401);
    assert.equal(exchange.sent.length, 2);
  });

  it("do not answer a challenge that cannot be met or has been tampered with", () => {
    const cases: [string, AttributeDraft[]][] = [
      ["the offer was taken away", []],
      ["nothing that is known here is offered", [offer(Uint8Array.of(0, 9, 0, 0))]],
      ["the offer is malformed", [offer(Uint8Array.of(0, 2, 0xff, 0xff))]],
    ];
    for (const [why, drafts] of cases) {
      const exchange = asked();
      refuse(exchange, 401, ALGORITHMS, drafts);
      assert.equal(exchange.events[0]?.type, "response", why);
    }
  });

  it("never fall back from SHA-256", () => {
    const exchange = asked();
    refuse(exchange, 401, ALGORITHMS, [offer()]);
    refuse(exchange, 438, PLAIN);
    const [event] = exchange.events;
    assert.ok(event?.type === "response");
    assert.equal(ERROR_CODE.in(event.message)?.code, 438);
  });

  it("believe an error without integrity when the server says it again, over a stream at once", () => {
    for (const reliable of [false, true]) {
      const exchange = new Exchange({ reliable });
      const credentials = new LongTermCredentials({ crypto, username: USER, password: PASSWORD });
      exchange.client.request({ to: SERVER, method: BINDING, credentials });
      exchange.drain();
      refuse(exchange, 401, "nonce");
      const claim = response(exchange.last, "error", [ERROR_CODE.of({ code: 441, reason: "" })]);
      if (!reliable) {
        exchange.receive(claim);
        assert.deepEqual([exchange.events, [...exchange.client.drops]], [[], [["unproven", 1]]]);
        exchange.run(exchange.now + 500);
        assert.equal(exchange.sent.length, 3);
      }
      exchange.receive(claim);
      const [event] = exchange.events;
      assert.ok(event?.type === "response");
      assert.equal(ERROR_CODE.in(event.message)?.code, 441);
    }
  });

  it("drop a response whose nonce says more than it offers", () => {
    const exchange = asked();
    refuse(exchange, 401, ALGORITHMS, [offer()]);
    const drafts = [...MAPPED, NONCE.of(ALGORITHMS)];
    exchange.receive(response(exchange.last, "success", drafts, key("sha256", "sha256")));
    assert.deepEqual([exchange.events, [...exchange.client.drops]], [[], [["forged", 1]]]);
  });
});
