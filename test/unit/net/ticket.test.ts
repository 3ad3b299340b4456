import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toBase64Url } from "../../../src/base/bytes.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { ConnectionInfo, Endpoint } from "../../../src/contract/endpoint.ts";
import { parseConnectionInfo } from "../../../src/net/connection-info.ts";
import { decodeTicket, encodeTicket } from "../../../src/net/ticket.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { anyConnectionInfo } from "./any-connection-info.ts";

const KEY = toBase64Url(new Uint8Array(32).fill(7));
const TCP: Endpoint = { transportType: "tcp", transportInfo: { address: "192.168.1.30", port: 61564 } };
const MEMORY: Endpoint = { transportType: "memory", transportInfo: { name: "an ‘odd’ näme" } };
const MIXED: ConnectionInfo = [
  { ...TCP, version: "1.0.0", publicKey: KEY, suite: "AESGCM" },
  { ...TCP, version: "2.0.0", publicKey: KEY },
  { ...MEMORY },
  { ...MEMORY, suite: "ChaChaPoly" },
];

/** A ticket that holds this JSON, whatever it is, with one byte in place of each question mark. */
function ticketOf(json: unknown, byte = 0x3f): string {
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  return `1tp:${toBase64Url(bytes.map((known) => (known === 0x3f ? byte : known)))}`;
}

function refusal(text: string): string | undefined {
  try {
    decodeTicket(text);
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

describe("a ticket", () => {
  it("gives back the connectionInfo it was made from", () => {
    for (const connectionInfo of [[TCP], [TCP, MEMORY], MIXED]) {
      assert.deepEqual(decodeTicket(encodeTicket(connectionInfo)), connectionInfo);
    }
  });

  it("gives back of any connectionInfo what a dial would make of it", () => {
    let made = 0;
    const check = (input: unknown) => {
      let endpoints: ConnectionInfo;
      try {
        endpoints = parseConnectionInfo(input);
      } catch (error) {
        assert.throws(() => encodeTicket(input as ConnectionInfo), { code: codeOf(error) });
        return;
      }
      made += 1;
      const decoded = decodeTicket(encodeTicket(input as ConnectionInfo));
      assert.equal(JSON.stringify(decoded), JSON.stringify(endpoints));
    };
    fc.assert(fc.property(anyConnectionInfo, check), randomRuns(1_500));
    assert.ok(made > 150, `only ${made} tickets were made`);
  });

  it("is one line that a URL carries as it is", () => {
    assert.match(encodeTicket(MIXED), /^1tp:[\w-]+$/);
    const url = new URL(`https://example.org/?ticket=${encodeTicket(MIXED)}#${encodeTicket(MIXED)}`);
    assert.equal(url.searchParams.get("ticket"), encodeTicket(MIXED));
    assert.equal(url.hash.slice(1), encodeTicket(MIXED));
  });

  it("holds what all entries share once", () => {
    const entry = { ...TCP, version: "1.0.0", publicKey: KEY, suite: "AESGCM" };
    const [one, two] = [[entry], [entry, entry]].map((info) => encodeTicket(info).length);
    assert.ok(two! - one! < 100, "the second entry costs its address, not its key");
  });

  it("of one entry is that of an array of it", () => {
    assert.equal(encodeTicket(TCP), encodeTicket([TCP]));
  });

  it("survives the white space of terminals and mails anywhere", () => {
    const text = encodeTicket(MIXED);
    const folded = text.replace(/.{20}/g, "$&\r\n\t ");
    for (const spaced of [` ${text}\n`, folded, [...text].join(" "), `\ufeff${text}\u00a0`]) {
      assert.deepEqual(decodeTicket(spaced), MIXED);
    }
  });

  it("cut off anywhere is refused", () => {
    for (const info of [[TCP], MIXED]) {
      const text = encodeTicket(info);
      for (let length = 0; length < text.length; length++) {
        assert.equal(refusal(text.slice(0, length)), "ERR_1TP_BAD_ADDRESS", `the first ${length} characters`);
        assert.equal(refusal(text.slice(length + 1)), "ERR_1TP_BAD_ADDRESS", `from ${length + 1} on`);
      }
    }
  });

  it("with more behind it is refused", () => {
    const text = encodeTicket(MIXED);
    for (const more of ["A", "AA", "AAAA", "=", "==", ".", "?a=b", text]) {
      assert.equal(refusal(text + more), "ERR_1TP_BAD_ADDRESS", more);
    }
  });

  it("is refused if it is any other text", () => {
    const foreign = [
      "",
      "1tp",
      "1tp:",
      "1TP:e30",
      "hello",
      "https://example.org/#1tp:e30",
      JSON.stringify([TCP]),
      encodeTicket(MIXED).slice(4),
      "1tp:%%%",
      `1tp:${toBase64Url(Uint8Array.of(0xff, 0xfe))}`,
      ticketOf({ e: [["tcp", { a: "?" }]] }, 0xff),
      encodeTicket(MIXED).padEnd(2_000_000),
    ];
    for (const text of foreign) assert.equal(refusal(text), "ERR_1TP_BAD_ADDRESS", text.slice(0, 40));
  });

  it("never fails otherwise, whatever the text", () => {
    const known = ["ERR_1TP_BAD_ADDRESS", "ERR_1TP_NO_TRANSPORT"];
    const texts = fc.oneof(
      fc.string(),
      fc.jsonValue().map(ticketOf),
      fc.record({ v: fc.jsonValue(), e: fc.array(fc.jsonValue()) }).map(ticketOf),
    );
    const check = (text: string) => assert.ok(known.includes(refusal(text) ?? known[0]!));
    fc.assert(fc.property(texts, check), randomRuns(1_000));
  });

  it("that holds JSON of another kind is refused", () => {
    for (const json of [null, 5, "e", [], {}, { e: 5 }, { e: null }, { e: "tcp" }, { e: { length: 1 } }]) {
      assert.equal(refusal(ticketOf(json)), "ERR_1TP_BAD_ADDRESS", JSON.stringify(json));
    }
    for (const e of [[5], [null], [["tcp"]], [[5, {}]], [{ transportType: "tcp", transportInfo: {} }]]) {
      assert.equal(refusal(ticketOf({ e })), "ERR_1TP_BAD_ADDRESS", JSON.stringify(e));
    }
    assert.equal(refusal(ticketOf({ e: [] })), "ERR_1TP_NO_TRANSPORT");
  });

  it("is held to the limits of a connectionInfo", () => {
    const entry = ["tcp", {}];
    assert.equal(decodeTicket(ticketOf({ e: Array(256).fill(entry) })).length, 256);
    assert.equal(refusal(ticketOf({ e: Array(257).fill(entry) })), "ERR_1TP_BAD_ADDRESS");
    const other = toBase64Url(new Uint8Array(32).fill(8));
    const keys = [
      ["tcp", {}, { k: KEY }],
      ["tcp", {}, { k: other }],
    ];
    assert.equal(refusal(ticketOf({ e: keys })), "ERR_1TP_BAD_ADDRESS");
  });

  it("that holds wrong shared fields loses them", () => {
    assert.deepEqual(decodeTicket(ticketOf({ v: 5, s: {}, e: [["tcp", {}]] })), [
      { transportType: "tcp", transportInfo: {} },
    ]);
    for (const own of [5, "x", [], null, true]) {
      assert.deepEqual(decodeTicket(ticketOf({ e: [["tcp", {}, own]] })), [
        { transportType: "tcp", transportInfo: {} },
      ]);
    }
  });

  it("that would be too long to be read is not made", () => {
    const large = { transportType: "tcp", transportInfo: { a: "\u0000".repeat(4_000) } };
    assert.equal(decodeTicket(encodeTicket(Array(30).fill(large))).length, 30);
    assert.throws(() => encodeTicket(Array(40).fill(large)), {
      code: "ERR_1TP_BAD_ADDRESS",
      message: /too large/,
    });
  });

  it("is text and is made of a connectionInfo, or it is a mistake", () => {
    for (const wrong of [undefined, null, 5, {}, [], Buffer.from("1tp:")]) {
      assert.throws(() => decodeTicket(wrong as string), { code: "ERR_INVALID_ARG_TYPE" });
    }
    for (const wrong of [undefined, null, 5, "1tp:"]) {
      assert.throws(() => encodeTicket(wrong as unknown as Endpoint), { code: "ERR_INVALID_ARG_TYPE" });
    }
    assert.throws(() => encodeTicket([]), { code: "ERR_1TP_NO_TRANSPORT" });
    assert.throws(() => encodeTicket([5 as unknown as Endpoint]), { code: "ERR_1TP_BAD_ADDRESS" });
  });
});
