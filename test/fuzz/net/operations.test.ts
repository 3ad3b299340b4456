import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { MemoryTransport, Server, Socket } from "1tp";
import fc from "fast-check";
import { randomRuns } from "../../kit/random-runs.ts";

/** What an application may do to a socket, in whatever state that is. */
type Operation = { readonly do: "write"; readonly size: number } | { readonly do: "turn" | Method };

const METHODS = [
  "end",
  "destroy",
  "destroySoon",
  "resetAndDestroy",
  "pause",
  "resume",
  "cork",
  "uncork",
  "read",
] as const;
type Method = (typeof METHODS)[number];

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), size: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("write" as const), size: fc.nat(200_000) }) },
  { weight: 4, arbitrary: fc.constant({ do: "turn" as const }) },
  { weight: 5, arbitrary: fc.constantFrom(...METHODS).map((method) => ({ do: method })) },
);

const PATTERN = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const ENDLESS = Buffer.alloc(2_000_000, PATTERN);

/** A socket together with all that was heard of it and written to it. */
class Side {
  readonly socket: Socket;
  readonly events: string[] = [];
  written = 0;
  received = 0;
  calls = 0;
  callbacks = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    for (const event of ["connect", "end", "finish", "error", "close"]) {
      socket.on(event, () => this.events.push(event));
    }
    socket.on("data", (data: Buffer) => {
      const from = this.received % PATTERN.length;
      assert.ok(ENDLESS.subarray(from, from + data.length).equals(data), "a byte that nobody wrote");
      this.received += data.length;
    });
  }

  async play(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      if (operation.do === "turn") await turn();
      else if (operation.do === "write") this.#write(operation.size);
      else this.socket[operation.do]();
    }
  }

  #write(size: number): void {
    const from = this.written % PATTERN.length;
    if (!this.socket.writableEnded && !this.socket.destroyed) this.written += size;
    this.calls += 1;
    this.socket.write(ENDLESS.subarray(from, from + size), () => {
      this.callbacks += 1;
    });
  }

  /** Lets it come to its end whatever state it is in. */
  async finish(): Promise<void> {
    for (let i = 0; i < 2000 && !this.events.includes("close"); i++) {
      for (let corks = this.socket.writableCorked; corks > 0; corks--) this.socket.uncork();
      if (!this.socket.destroyed) this.socket.resume().end();
      await turn();
    }
    await turn();
  }

  assertSound(): void {
    const count = (event: string): number => this.events.filter((one) => one === event).length;
    assert.deepEqual([count("close"), this.events.at(-1)], [1, "close"], this.events.join());
    for (const event of ["connect", "end", "finish", "error"]) assert.ok(count(event) <= 1, event);
    assert.equal(this.callbacks, this.calls, "every write is called back");
    assert.deepEqual([this.socket.listenerCount("connect"), this.socket.listenerCount("close")], [1, 1]);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const plan = fc.record({
  security: fc.constantFrom("noise" as const, "none" as const),
  halfOpen: fc.tuple(fc.boolean(), fc.boolean()),
  highWaterMark: fc.constantFrom(0, 1, 100, 65_536),
  refused: fc.array(operation, { maxLength: 4 }),
  client: fc.array(operation, { maxLength: 10 }),
  server: fc.array(operation, { maxLength: 10 }),
});

it("a socket that is used in any way, and used again, ends once and loses no callback and no byte", () =>
  fc.assert(
    fc.asyncProperty(plan, async ({ security, halfOpen, highWaterMark, refused, client, server }) => {
      const memory = [new MemoryTransport()];
      const accepted: Side[] = [];
      const options = { security, allowHalfOpen: halfOpen[0], highWaterMark };
      const listening = new Server(memory, options, (socket) => {
        const side = new Side(socket);
        accepted.push(side);
        side.play(server);
      });
      const [entry] = await listening.listenP();
      const socket = new Socket(memory, { security, allowHalfOpen: halfOpen[1] });
      const nobody = new Side(socket.connect({ ...entry!, transportInfo: { name: "nobody" } }));
      await nobody.play(refused);
      await nobody.finish();
      nobody.assertSound();
      socket.removeAllListeners();
      const near = new Side(socket.connect(entry!));
      await near.play(client);
      await near.finish();
      for (const far of accepted) await far.finish();
      for (const side of [near, ...accepted]) side.assertSound();
      for (const far of accepted) {
        assert.ok(far.received <= near.written && near.received <= far.written, "more than was written");
      }
      listening.close();
      await once(listening, "close");
    }),
    randomRuns(300),
  ));
