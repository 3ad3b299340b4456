import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { type AttributeDraft, makeMessage } from "../../../src/stun/attribute.ts";
import { NO_CREDENTIALS } from "../../../src/stun/credentials.ts";
import { ERROR_CODE } from "../../../src/stun/errors.ts";
import { decodeMessage, encodeMessage, type ReceivedMessage } from "../../../src/stun/message.ts";
import { Allocation } from "../../../src/turn/allocation.ts";
import {
  DATA,
  DATA_METHOD,
  LIFETIME,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
} from "../../../src/turn/attributes.ts";
import type { TurnEvent } from "../../../src/turn/options.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { hostile } from "../stun/hostile-messages.ts";

const SERVER = { address: "5.0.0.1", port: 3478 };
const RELAYED = { address: "5.0.0.1", port: 50_000 };
const PEERS: readonly SocketAddress[] = [1, 2, 3].map((port) => ({
  address: `5.0.2.${port % 2}`,
  port: 1000 + port,
}));

/** An allocation whose promises are all accounted for. */
class Watched {
  now = 1000;
  readonly allocation: Allocation;
  readonly #requests: ReceivedMessage[] = [];
  readonly #permits = new Map<string, number>();
  #state: "new" | "asked" | "allocated" | "released" | "over" = "new";

  constructor(reliable: boolean) {
    this.allocation = new Allocation({
      random: seededRandom(1),
      server: SERVER,
      credentials: NO_CREDENTIALS,
      reliable,
      onWork: () => {},
    });
  }

  allocate(): void {
    this.allocation.allocate();
    if (this.#state === "new") this.#state = "asked";
    this.drain();
  }

  permit(address: string): void {
    this.#permits.set(address, (this.#permits.get(address) ?? 0) + 1);
    this.allocation.permit(address, this.now);
    this.drain();
  }

  release(): void {
    this.allocation.release(this.now);
    if (this.#state !== "over") this.#state = "released";
    this.drain();
  }

  send(remote: SocketAddress): void {
    const frame = this.allocation.frame(new Uint8Array(20), remote, this.now);
    if (frame) assert.equal(this.#state, "allocated");
    if (frame) assert.ok(frame.length === 24 || frame.length === 56, `${frame.length}`);
    this.drain();
  }

  receive(bytes: Uint8Array): void {
    const peer = this.allocation.peerOf(bytes, this.now);
    if (peer) assert.equal(this.#state, "allocated");
    if (!peer) this.allocation.handleDatagram({ data: Uint8Array.from(bytes), remote: SERVER }, this.now);
    this.drain();
  }

  /** Answers a request that waits, with success (0) or an error. */
  answer(which: number, status: number, lifetime: number): void {
    const request = this.#requests.splice(which % (this.#requests.length || 1), 1)[0];
    if (!request) return;
    const granted: AttributeDraft[] = [
      XOR_RELAYED_ADDRESS.of(RELAYED),
      XOR_MAPPED_ADDRESS.of(PEERS[0]!),
      LIFETIME.of(lifetime),
    ];
    const reply =
      status === 0
        ? makeMessage("success", request.method, request.transactionId, granted)
        : makeMessage("error", request.method, request.transactionId, [
            ERROR_CODE.of({ code: status, reason: "" }),
          ]);
    this.receive(encodeMessage(reply));
  }

  indicate(remote: SocketAddress): void {
    const attributes = [XOR_PEER_ADDRESS.of(remote), DATA.of(new Uint8Array(3))];
    this.receive(encodeMessage(makeMessage("indication", DATA_METHOD, new Uint8Array(12), attributes)));
  }

  wait(ms: number): void {
    this.now += ms;
    this.allocation.handleTimeout(this.now);
    this.drain();
  }

  fail(code: string): void {
    this.allocation.sendFailed(code, this.now);
    this.drain();
  }

  finish(): void {
    this.release();
    for (let at = this.allocation.pollTimeout(); at !== undefined; at = this.allocation.pollTimeout()) {
      this.wait(at - this.now);
    }
    assert.equal(this.#state, "over");
    assert.deepEqual(
      [...this.#permits.values()].filter((count) => count > 0),
      [],
    );
  }

  drain(): void {
    const { allocation, now } = this;
    for (let out = allocation.pollTransmit(now); out; out = allocation.pollTransmit(now)) {
      assert.deepEqual(out.remote, SERVER);
      const message = decodeMessage(out.data);
      assert.ok(typeof message !== "string");
      if (message.class === "request") this.#requests.push(message);
      if (this.#requests.length > 50) this.#requests.shift();
    }
    for (let event = allocation.pollEvent(); event; event = allocation.pollEvent()) this.#see(event);
    const next = allocation.pollTimeout();
    assert.ok(next === undefined || next >= now, "a timeout in the past");
    if (this.#state === "over") assert.equal(next, undefined, "a timer after the end");
  }

  #see(event: TurnEvent): void {
    switch (event.type) {
      case "allocated":
        assert.equal(this.#state, "asked");
        assert.deepEqual(this.allocation.relayed, RELAYED);
        this.#state = "allocated";
        break;
      case "failed":
      case "lost":
      case "released": {
        const allowed = { failed: ["asked", "released"], lost: ["allocated"], released: ["released"] };
        assert.ok(allowed[event.type].includes(this.#state), `${event.type} while ${this.#state}`);
        this.#state = "over";
        break;
      }
      case "permitted":
        assert.equal(this.#state, "allocated");
        this.#permits.delete(event.address);
        break;
      case "denied":
        this.#permits.delete(event.address);
        break;
      case "data":
        assert.equal(this.#state, "allocated");
    }
  }
}

type Operation = (watched: Watched) => void;
const peer = fc.constantFrom(...PEERS);
const status = fc.constantFrom(0, 0, 0, 0, 300, 400, 401, 403, 437, 438, 486, 500, 508);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Operation>((watched) => watched.allocate()) },
  {
    weight: 2,
    arbitrary: peer.map(
      ({ address }): Operation =>
        (watched) =>
          watched.permit(address),
    ),
  },
  {
    weight: 4,
    arbitrary: peer.map(
      (remote): Operation =>
        (watched) =>
          watched.send(remote),
    ),
  },
  {
    weight: 1,
    arbitrary: peer.map(
      (remote): Operation =>
        (watched) =>
          watched.indicate(remote),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(5), status, fc.constantFrom(0, 1, 60, 600, 4_000_000_000)).map(
      ([which, code, lifetime]): Operation =>
        (watched) =>
          watched.answer(which, code, lifetime),
    ),
  },
  {
    weight: 2,
    arbitrary: hostile.map(
      (bytes): Operation =>
        (watched) =>
          watched.receive(bytes),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1, 700, 20_000, 400_000).map(
      (ms): Operation =>
        (watched) =>
          watched.wait(ms),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("ECONNREFUSED", "ENETUNREACH").map(
      (code): Operation =>
        (watched) =>
          watched.fail(code),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Operation>((watched) => watched.release()) },
);

test("whatever happens to an allocation, it ends once, answers every question and leaves no timer", () => {
  const beginnings: Operation[] = [(watched) => watched.allocate(), (watched) => watched.answer(0, 0, 600)];
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 60 }),
      fc.boolean(),
      fc.boolean(),
      (operations, begun, reliable) => {
        const watched = new Watched(reliable);
        for (const operate of [...(begun ? beginnings : []), ...operations]) operate(watched);
        watched.finish();
      },
    ),
    randomRuns(3000),
  );
});
