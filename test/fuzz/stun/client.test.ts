import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { StunClient } from "../../../src/stun/client.ts";
import { LongTermCredentials } from "../../../src/stun/long-term.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { hostile } from "./hostile-messages.ts";

const SERVER = { address: "5.0.0.1", port: 3478 };

/** A client whose requests are all accounted for, and its time. */
class Watched {
  now = 0;
  readonly client: StunClient;
  readonly open = new Set<number>();
  readonly #credentials = new LongTermCredentials({ crypto, username: "us", password: "secret" });
  #counter = 0;
  #lastId: Uint8Array = new Uint8Array(12);

  constructor() {
    this.client = new StunClient({ random: { fill: (bytes) => bytes.fill(++this.#counter) } });
  }

  request(signed: boolean): void {
    const credentials = signed ? { credentials: this.#credentials } : {};
    this.open.add(this.client.request({ to: SERVER, method: 1, ...credentials }));
    this.#drain();
  }

  cancel(handle: number): void {
    this.client.cancel(handle);
    this.open.delete(handle);
    this.#drain();
  }

  wait(ms: number): void {
    this.now += ms;
    this.client.handleTimeout(this.now);
    this.#drain();
  }

  /** `match`: in answer to what was sent last. */
  receive(bytes: Uint8Array, match: boolean): void {
    const data = Uint8Array.from(bytes);
    if (match && data.length >= 20) data.set(this.#lastId, 8);
    this.client.handleDatagram({ data, remote: SERVER }, this.now);
    this.#drain();
  }

  finish(): void {
    for (let at = this.client.pollTimeout(); at !== undefined; at = this.client.pollTimeout()) {
      this.wait(at - this.now);
    }
    assert.deepEqual([this.open.size, this.client.size], [0, 0]);
  }

  #drain(): void {
    const { client, now } = this;
    for (let out = client.pollTransmit(now); out; out = client.pollTransmit(now)) {
      this.#lastId = out.data.slice(8, 20);
    }
    for (let event = client.pollEvent(); event; event = client.pollEvent()) {
      assert.ok(this.open.delete(event.handle), "an end that nobody waits for");
    }
    const next = client.pollTimeout();
    assert.ok(next === undefined || next > now, "a timeout in the past");
  }
}

const operation: fc.Arbitrary<(watched: Watched) => void> = fc.oneof(
  fc.tuple(hostile, fc.boolean()).map(
    ([data, match]) =>
      (watched: Watched) =>
        watched.receive(data, match),
  ),
  fc.boolean().map((signed) => (watched: Watched) => watched.request(signed)),
  fc.nat(20_000).map((ms) => (watched: Watched) => watched.wait(ms)),
  fc.nat(10).map((handle) => (watched: Watched) => watched.cancel(handle)),
);

test("whatever happens to a client, each request ends exactly once and nothing is left", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const watched = new Watched();
      for (const operate of operations) operate(watched);
      watched.finish();
    }),
    randomRuns(1000),
  );
});
