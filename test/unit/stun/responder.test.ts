import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { OTHER_ADDRESS, RESPONSE_ORIGIN } from "../../../src/stun/addresses.ts";
import { type AttributeDraft, flag, makeMessage } from "../../../src/stun/attribute.ts";
import { CHANGE_REQUEST, PADDING, RESPONSE_PORT } from "../../../src/stun/behaviour.ts";
import { BINDING, reflexiveAddress } from "../../../src/stun/binding.ts";
import { ERROR_CODE, UNKNOWN_ATTRIBUTES } from "../../../src/stun/errors.ts";
import { checkIntegrity, sealMessage } from "../../../src/stun/integrity.ts";
import type { MessageClass } from "../../../src/stun/message.ts";
import { type Answer, BindingResponder, type ResponderOptions } from "../../../src/stun/responder.ts";
import { shortTermKey } from "../../../src/stun/secrets.ts";
import { USERNAME } from "../../../src/stun/texts.ts";
import { crypto, decoded } from "./exchange.ts";

const CLIENT: SocketAddress = { address: "5.0.0.7", port: 4321 };
const LOCAL: SocketAddress = { address: "5.0.0.1", port: 3478 };
const GRID: readonly SocketAddress[] = [
  LOCAL,
  { address: "5.0.0.1", port: 3479 },
  { address: "5.0.0.2", port: 3478 },
  { address: "5.0.0.2", port: 3479 },
];
const random = seededRandom(1);

function request(
  drafts: AttributeDraft[] = [],
  kind: MessageClass = "request",
  method = BINDING,
): Uint8Array {
  return sealMessage(makeMessage(kind, method, random.fill(new Uint8Array(12)), drafts), undefined, false);
}

function ask(data: Uint8Array, options: ResponderOptions = {}): Answer | undefined {
  return new BindingResponder(options).respond({ data, remote: CLIENT }, LOCAL, 0);
}

describe("a public responder", () => {
  it("tells where the request came from, to where it came from", () => {
    for (const remote of [CLIENT, { address: "2a01::7", port: 1 }]) {
      const data = request();
      const answer = new BindingResponder().respond({ data, remote }, LOCAL, 0)!;
      const response = decoded(answer.data);
      assert.deepEqual([response.class, response.method], ["success", BINDING]);
      assert.deepEqual(response.transactionId, decoded(data).transactionId);
      assert.deepEqual([reflexiveAddress(response), answer.remote, answer.local], [remote, remote, LOCAL]);
      assert.equal(response.attributes.length, 1);
    }
  });

  it("sends 12 bytes more than it got for IPv4, 24 for IPv6, and a fingerprint for a fingerprint", () => {
    assert.equal(ask(request())!.data.length, 20 + 12);
    const remote = { address: "2a01::7", port: 1 };
    assert.equal(new BindingResponder().respond({ data: request(), remote }, LOCAL, 0)!.data.length, 20 + 24);
    const marked = sealMessage(makeMessage("request", BINDING, new Uint8Array(12)), undefined, true);
    assert.equal(ask(marked)!.data.length, 28 + 12);
  });

  it("drops and counts what is no Binding request", () => {
    const responder = new BindingResponder();
    const cases = [
      request([], "indication"),
      request([], "success"),
      request([], "request", 3),
      new Uint8Array(3),
      request().with(4, 0),
    ];
    for (const data of cases) {
      assert.equal(responder.respond({ data, remote: CLIENT }, LOCAL, 0), undefined);
    }
    assert.deepEqual([...responder.drops].sort(), [
      ["cookie", 1],
      ["method", 1],
      ["no-request", 2],
      ["short", 1],
    ]);
  });

  it("names the attributes it does not understand", () => {
    const answer = ask(request([flag(0x7f01).of(true), flag(0x8f00).of(true), flag(0x7f02).of(true)]))!;
    const response = decoded(answer.data);
    assert.deepEqual([response.class, answer.success], ["error", false]);
    assert.equal(ERROR_CODE.in(response)?.code, 420);
    assert.deepEqual(UNKNOWN_ATTRIBUTES.in(response), [0x7f01, 0x7f02]);
  });

  it("answers each source so often a second, a whole IPv6 network as one, and all of them so often", () => {
    const limits = { perSource: 3, total: 5, sources: 100 };
    const responder = new BindingResponder({ limits });
    const answered = (address: string, now: number): boolean =>
      responder.respond({ data: request(), remote: { address, port: 1 } }, LOCAL, now) !== undefined;
    const times = (address: string, now: number): number =>
      Array.from({ length: 10 }, () => answered(address, now)).filter(Boolean).length;
    assert.equal(times("5.0.0.7", 0), 3);
    assert.equal(times("5.0.0.8", 0), 2);
    assert.equal(times("5.0.0.9", 0), 0);
    assert.equal(responder.drops.get("limit"), 7 + 8 + 10);
    assert.equal(answered("2a01::1", 2000), true);
    assert.equal(answered("2a01::2", 2000), true);
    assert.equal(answered("2a01::ffff:0:3", 2000), true);
    assert.equal(answered("2a01::4", 2000), false);
    assert.equal(answered("2a01:0:0:1::4", 2000), true);
  });
});

describe("a responder with two addresses and two ports", () => {
  it("names its other address and where it answers from", () => {
    const response = decoded(ask(request(), { origins: GRID })!.data);
    assert.deepEqual(OTHER_ADDRESS.in(response), GRID[3]);
    assert.deepEqual(RESPONSE_ORIGIN.in(response), LOCAL);
  });

  it("names none that who reached it might not reach", () => {
    const elsewhere = [
      { address: "192.168.0.2", port: 3479 },
      { address: "127.0.0.1", port: 3479 },
      { address: "2a01::2", port: 3479 },
    ];
    const origins = [LOCAL, ...elsewhere];
    const response = decoded(ask(request(), { origins })!.data);
    assert.equal(OTHER_ADDRESS.in(response), undefined);
    const change = request([CHANGE_REQUEST.of({ ip: true, port: true })]);
    assert.equal(ask(change, { origins })!.success, false);
  });

  it("answers from where it is asked to", () => {
    const changes = [
      [{ ip: false, port: false }, GRID[0]],
      [{ ip: false, port: true }, GRID[1]],
      [{ ip: true, port: false }, GRID[2]],
      [{ ip: true, port: true }, GRID[3]],
    ] as const;
    for (const [change, origin] of changes) {
      const answer = ask(request([CHANGE_REQUEST.of(change)]), { origins: GRID })!;
      assert.deepEqual([answer.local, RESPONSE_ORIGIN.in(decoded(answer.data))], [origin, origin]);
      assert.deepEqual(OTHER_ADDRESS.in(decoded(answer.data)), GRID[3]);
    }
  });

  it("says that it cannot if it has no such address", () => {
    for (const origins of [[], GRID.slice(0, 2)]) {
      const answer = ask(request([CHANGE_REQUEST.of({ ip: true, port: false })]), { origins })!;
      assert.deepEqual(UNKNOWN_ATTRIBUTES.in(decoded(answer.data)), [CHANGE_REQUEST.type]);
      assert.deepEqual(answer.local, LOCAL);
    }
    const portOnly = ask(request([CHANGE_REQUEST.of({ ip: false, port: true })]), {
      origins: GRID.slice(0, 2),
    })!;
    assert.deepEqual([portOnly.local, OTHER_ADDRESS.in(decoded(portOnly.data))], [GRID[1], undefined]);
  });

  it("answers to another port of the same address, and with the padding it got", () => {
    const answer = ask(request([RESPONSE_PORT.of(9999), PADDING.of(new Uint8Array(700))]))!;
    assert.deepEqual(answer.remote, { address: CLIENT.address, port: 9999 });
    assert.equal(PADDING.in(decoded(answer.data))?.length, 700);
  });

  it("refuses what is malformed", () => {
    const bad = { type: CHANGE_REQUEST.type, value: new Uint8Array(3) };
    const answer = ask(request([() => bad]), { origins: GRID })!;
    assert.equal(ERROR_CODE.in(decoded(answer.data))?.code, 400);
  });
});

describe("a responder that authenticates", () => {
  const authenticate = {
    crypto,
    passwordOf: (name: string) => (name === "us:them" ? "secret" : undefined),
  };
  const sealed = (
    password: string,
    algorithm: "sha1" | "sha256" = "sha256",
    drafts = [USERNAME.of("us:them")],
  ): Uint8Array => {
    const message = makeMessage("request", BINDING, random.fill(new Uint8Array(12)), drafts);
    return sealMessage(message, { crypto, algorithm, key: shortTermKey(password) }, true);
  };

  it("answers who proves the password, and proves it too, by the same algorithm", () => {
    for (const algorithm of ["sha1", "sha256"] as const) {
      const answer = ask(sealed("secret", algorithm), { authenticate })!;
      const integrity = { crypto, algorithm, key: shortTermKey("secret") };
      assert.equal(checkIntegrity(answer.data, integrity), true);
      assert.deepEqual(reflexiveAddress(decoded(answer.data)), CLIENT);
      assert.equal(USERNAME.in(answer.request), "us:them");
    }
  });

  it("is silent to everybody else", () => {
    const responder = new BindingResponder({ authenticate });
    const cases = [
      sealed("guess"),
      request(),
      request([USERNAME.of("us:them")]),
      sealed("secret", "sha256", [USERNAME.of("us:you")]),
      sealed("secret", "sha256", []),
    ];
    for (const data of cases) assert.equal(responder.respond({ data, remote: CLIENT }, LOCAL, 0), undefined);
    assert.deepEqual([...responder.drops].sort(), [
      ["forged", 1],
      ["stranger", 4],
    ]);
  });
});
