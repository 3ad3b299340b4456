import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createIdentity } from "1tp";
import { codeOf } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/contract/endpoint.ts";
import type { Meddle } from "../../kit/meddling-signaling.ts";
import { Carrier, converse, SERVICES } from "./carrier.ts";

/** Short enough for a test, longer than any honest dial takes here. */
const PATIENCE = 300;

function altered(body: Json): Json {
  const { c, ...rest } = body as JsonObject;
  if (typeof c !== "string") return body;
  return { ...rest, c: (c[0] === "A" ? "B" : "A") + c.slice(1) };
}

/** Whoever carries a dialog may do all this, and the two ends still meet or fail cleanly. */
const HARMLESS: Readonly<Record<string, Meddle>> = {
  "says everything twice": (body) => [body, body],
  "makes up signals in between": (body) => ["where", { n: 0, c: "AAAA" }, { n: 9, c: "AAAA" }, body, null],
  "forges every body, and then thinks better of it": (body) => [altered(body), body],
  "repeats the first signal after every other": (() => {
    let first: Json | undefined;
    return (body) => {
      first ??= body;
      return [body, first];
    };
  })(),
};

const FATAL: Readonly<Record<string, Meddle>> = {
  "alters every body": (body) => [altered(body)],
  "loses every body": (body) => ("c" in (body as JsonObject) ? [] : [body]),
  "answers in the server's place": () => [{ hs: "AAAB" }],
  "sends signals back": (() => {
    const kept: Json[] = [];
    return (body) => {
      kept.push(body);
      return kept.length > 1 ? [kept.at(-2)!] : [body];
    };
  })(),
};

for (const service of SERVICES) {
  describe(`over ${service.word} signaling, a carrier that`, () => {
    for (const [does, meddle] of Object.entries(HARMLESS)) {
      test(`${does} does no harm`, async (t) => {
        const carrier = await Carrier.start(t, service);
        carrier.meddling.meddle = meddle;
        const { info, transport } = await carrier.serve();
        await converse(carrier.dial(info));
        assert.equal(transport.accepted.length, 1);
      });
    }

    for (const [does, meddle] of Object.entries(FATAL)) {
      test(`${does} can prevent a connection and no more`, async (t) => {
        const carrier = await Carrier.start(t, service);
        carrier.meddling.meddle = meddle;
        const { info, transport, visitors } = await carrier.serve();
        const client = carrier.dial(info, {}, PATIENCE);
        await client.gone();
        assert.equal(client.errors.length, 1);
        assert.deepEqual([transport.accepted.length, visitors.length], [0, 0]);
        carrier.meddling.meddle = (body) => [body];
        await converse(carrier.dial(info));
      });
    }

    test("leads a dialog to somebody else is found out", async (t) => {
      const carrier = await Carrier.start(t, service);
      const wanted = await carrier.serve();
      const other = await carrier.serve({ identity: createIdentity() });
      const elsewhere = other.info[0]!.transportInfo;
      carrier.meddling.divert = () => ({
        type: String(elsewhere.type),
        uid: String(elsewhere.uid),
        ...elsewhere,
      });
      const client = carrier.dial(wanted.info);
      await client.gone();
      assert.deepEqual(client.errors, ["ERR_1TP_PEER_MISMATCH"]);
      assert.equal(codeOf(client.socket.report[0]!.error), "ERR_1TP_PEER_MISMATCH");
      assert.equal(other.transport.accepted.length, 0);
    });
  });
}
