import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../src/base/bytes.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { opaque } from "../../../src/stun/attribute.ts";
import { BINDING, reflexiveAddress } from "../../../src/stun/binding.ts";
import { shortTerm } from "../../../src/stun/credentials.ts";
import { ERROR_CODE } from "../../../src/stun/errors.ts";
import { checkIntegrity } from "../../../src/stun/integrity.ts";
import { shortTermKey } from "../../../src/stun/secrets.ts";
import { USERNAME } from "../../../src/stun/texts.ts";
import { datagramSchedule } from "../../../src/stun/transaction.ts";
import { crypto, decoded, Exchange, response, SERVER } from "./exchange.ts";

const REQUEST = { to: SERVER, method: BINDING };
const MAPPED = { address: "5.0.0.7", port: 4321 };
const OTHER = { address: "5.0.0.9", port: 9 };
const REASONABLE = [XOR_MAPPED_ADDRESS.of(MAPPED)];

const sendTimes = (exchange: Exchange): number[] => exchange.sent.map(({ at }) => at - 1000);

describe("a request over UDP", () => {
  it("is sent at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms and fails at 39500", () => {
    const exchange = new Exchange();
    const handle = exchange.client.request(REQUEST);
    exchange.run();
    assert.deepEqual(sendTimes(exchange), [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    assert.deepEqual(exchange.events, [{ type: "failure", handle, reason: "timeout" }]);
    assert.equal(exchange.now - 1000, 39_500);
    assert.equal(exchange.client.size, 0);
    assert.equal(new Set(exchange.sent.map(({ datagram }) => toHex(datagram.data))).size, 1);
  });

  it("follows another schedule if it is given one", () => {
    const exchange = new Exchange();
    exchange.client.request({ ...REQUEST, schedule: datagramSchedule(100, 3) });
    exchange.run();
    assert.deepEqual([sendTimes(exchange), exchange.now - 1000], [[0, 100, 300], 1900]);
  });

  it("counts its waits from when it could be sent", () => {
    const exchange = new Exchange();
    exchange.client.request(REQUEST);
    exchange.now += 250;
    exchange.run(2000);
    assert.deepEqual(sendTimes(exchange), [250, 750]);
  });

  it("ends with the response, whichever sending it answers and wherever it comes from", () => {
    for (const until of [0, 500, 31_500]) {
      const exchange = new Exchange();
      const handle = exchange.client.request(REQUEST);
      exchange.run(1000 + until);
      exchange.receive(response(exchange.last, "success", REASONABLE), OTHER);
      const [event, ...more] = exchange.events;
      assert.ok(event?.type === "response" && event.handle === handle);
      assert.deepEqual([event.from, reflexiveAddress(event.message), more], [OTHER, MAPPED, []]);
      assert.deepEqual([exchange.client.size, exchange.client.pollTimeout()], [0, undefined]);
      exchange.receive(response(exchange.last, "success", REASONABLE));
      assert.deepEqual([...exchange.client.drops], [["unasked", 1]]);
    }
  });

  it("ends with an error response, too", () => {
    const exchange = new Exchange();
    exchange.client.request(REQUEST);
    exchange.drain();
    exchange.receive(response(exchange.last, "error", [ERROR_CODE.of({ code: 500, reason: "tired" })]));
    const [event] = exchange.events;
    assert.ok(event?.type === "response" && event.message.class === "error");
    assert.deepEqual(ERROR_CODE.in(event.message), { code: 500, reason: "tired" });
  });

  it("is not bothered by strays, which are counted", () => {
    const exchange = new Exchange();
    exchange.client.request(REQUEST);
    exchange.drain();
    const request = exchange.last;
    const stranger = { ...request, transactionId: new Uint8Array(12) };
    exchange.receive(response(stranger, "success", REASONABLE));
    exchange.receive(response({ ...request, method: 3 }, "success", REASONABLE));
    exchange.receive(request.bytes);
    exchange.receive(response(request, "indication", []));
    exchange.receive(Uint8Array.of(1, 2, 3));
    exchange.receive(response(request, "success", REASONABLE).with(4, 0));
    assert.deepEqual([...exchange.client.drops].sort(), [
      ["cookie", 1],
      ["method", 1],
      ["request", 2],
      ["short", 1],
      ["unasked", 1],
    ]);
    assert.deepEqual([exchange.events, exchange.client.size], [[], 1]);
  });

  it("fails when the response demands what nobody understands", () => {
    const exchange = new Exchange();
    const handle = exchange.client.request(REQUEST);
    exchange.drain();
    const odd = opaque(0x7ffe).of(new Uint8Array(4));
    exchange.receive(response(exchange.last, "success", [...REASONABLE, odd]));
    assert.deepEqual(exchange.events, [{ type: "failure", handle, reason: "unknown-attribute" }]);
  });

  it("fails at once when the network refuses its server, unless it is patient", () => {
    const exchange = new Exchange();
    const hasty = exchange.client.request(REQUEST);
    exchange.client.request({ ...REQUEST, patient: true });
    exchange.client.request({ ...REQUEST, to: OTHER });
    exchange.drain();
    exchange.client.sendFailed("ECONNREFUSED", SERVER);
    exchange.drain();
    assert.deepEqual(exchange.events, [{ type: "failure", handle: hasty, reason: "ECONNREFUSED" }]);
    assert.equal(exchange.client.size, 2);
  });

  it("is forgotten when it is cancelled, sent or not", () => {
    const exchange = new Exchange();
    exchange.client.cancel(exchange.client.request(REQUEST));
    exchange.run();
    const sent = exchange.client.request(REQUEST);
    exchange.run(1600);
    exchange.client.cancel(sent);
    exchange.run();
    assert.deepEqual([exchange.sent.length, exchange.events, exchange.client.size], [2, [], 0]);
  });

  it("is one of at most 256", () => {
    const exchange = new Exchange();
    const handles = Array.from({ length: 257 }, () => exchange.client.request(REQUEST));
    exchange.drain();
    assert.equal(exchange.sent.length, 256);
    assert.equal(
      new Set(exchange.sent.map(({ datagram }) => toHex(datagram.data.subarray(8, 20)))).size,
      256,
    );
    assert.deepEqual(exchange.events, [{ type: "failure", handle: handles[256]!, reason: "busy" }]);
  });
});

describe("a request over a stream", () => {
  it("is sent once and fails after 39.5 s", () => {
    const exchange = new Exchange({ reliable: true });
    exchange.client.request(REQUEST);
    exchange.run();
    assert.deepEqual([sendTimes(exchange), exchange.now - 1000], [[0], 39_500]);
    assert.equal(exchange.events[0]?.type, "failure");
  });
});

describe("short-term credentials", () => {
  const integrity = { crypto, algorithm: "sha256", key: shortTermKey("secret") } as const;
  const wrong = { ...integrity, key: shortTermKey("guess") };

  function asked(reliable: boolean, algorithm?: "sha1" | "sha256"): Exchange {
    const exchange = new Exchange({ reliable });
    const own = algorithm ? { algorithm } : {};
    const credentials = shortTerm({ crypto, username: "them:us", password: "secret", ...own });
    exchange.client.request({ ...REQUEST, credentials });
    exchange.drain();
    return exchange;
  }

  it("sign the request by name and password", () => {
    for (const algorithm of ["sha256", "sha1"] as const) {
      const { last } = asked(false, algorithm);
      assert.equal(USERNAME.in(last), "them:us");
      assert.equal(checkIntegrity(last.bytes, { ...integrity, algorithm }), true);
    }
  });

  it("take a response that proves the password", () => {
    const exchange = asked(false);
    exchange.receive(response(exchange.last, "success", REASONABLE, integrity));
    assert.equal(exchange.events[0]?.type, "response");
  });

  it("drop and count forged responses, and take the true one after them", () => {
    const exchange = asked(false);
    const { last } = exchange;
    exchange.receive(response(last, "success", REASONABLE, wrong));
    exchange.receive(response(last, "success", REASONABLE));
    exchange.receive(response(last, "success", REASONABLE, { ...integrity, algorithm: "sha1" }));
    exchange.receive(response(last, "error", [ERROR_CODE.of({ code: 400, reason: "" })]));
    assert.deepEqual([exchange.events, [...exchange.client.drops]], [[], [["forged", 4]]]);
    exchange.receive(response(last, "success", REASONABLE, integrity));
    assert.equal(exchange.events[0]?.type, "response");
  });

  it("say so when all responses were forged", () => {
    const exchange = asked(false);
    exchange.receive(response(exchange.last, "success", REASONABLE, wrong));
    exchange.run();
    assert.deepEqual(exchange.events, [{ type: "failure", handle: 1, reason: "forged" }]);
    assert.equal(exchange.now - 1000, 39_500);
  });

  it("end at once over a stream, where nobody else can have answered", () => {
    const exchange = asked(true);
    exchange.receive(response(exchange.last, "success", REASONABLE));
    assert.deepEqual(exchange.events, [{ type: "failure", handle: 1, reason: "forged" }]);
  });

  it("ignore what follows the integrity", () => {
    const exchange = asked(false);
    const sealed = response(exchange.last, "success", [], integrity);
    const more = response(exchange.last, "success", REASONABLE).subarray(20);
    const appended = Uint8Array.of(...sealed, ...more);
    appended[3] = appended.length - 20;
    assert.deepEqual(reflexiveAddress(decoded(appended)), undefined);
    exchange.receive(appended);
    const [event] = exchange.events;
    assert.ok(event?.type === "response");
    assert.equal(reflexiveAddress(event.message), undefined);
  });
});
