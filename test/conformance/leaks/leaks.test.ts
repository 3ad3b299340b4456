import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CYCLE_NAMES, type Remains } from "./program.ts";

const PROGRAM = fileURLToPath(new URL("./program.ts", import.meta.url));

/** Chosen: 300 bytes a connection. Any object of ours that stays is larger, what the engine keeps is less. */
const HEAP_SLACK = 300_000;

/** Chosen: the last ones may still be on a stack of the engine. */
const SOCKET_SLACK = 10;

async function remains(word: string, cycles: number, rounds: number, names: readonly string[]) {
  const flags = ["--expose-gc", "--conditions=1tp-source", "--import", "tsx"];
  const words = [word, `${cycles}`, `${rounds}`, ...names];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, PROGRAM, ...words]);
  return JSON.parse(stdout) as readonly Remains[];
}

/** With sessions, under which a transport's own channels come and go as well. */
for (const word of ["tcp", "memory"]) {
  describe(`1,000 connections over ${word} leave nothing behind`, () => {
    for (const name of CYCLE_NAMES) {
      test(name, async (t) => {
        const [left] = await remains(word, 1000, 3, [name]);
        const { sockets, heap, listeners, warnings } = left!;
        t.diagnostic(`heap grew by ${heap} bytes, ${sockets} sockets left`);
        assert.equal(listeners, 0);
        assert.equal(warnings, 0);
        assert.ok(sockets <= SOCKET_SLACK, `${sockets} sockets were not collected`);
        assert.ok(heap <= HEAP_SLACK, `the heap grew by ${heap} bytes`);
      });
    }
  });
}

/** Over bare UDP nobody says that he is not there: the seconds until a dial gives up are too many for so many. */
const UNANSWERED: Readonly<Record<string, readonly string[]>> = { udp: ["refused"] };

/** Less often, and without the heap, in which uTP remembers for seconds whom it has reset. `webrtc` has a test of its own. */
for (const word of ["udp", "websocket", "udp-punch", "tcp-punch", "turn", "relay"]) {
  const names = CYCLE_NAMES.filter((name) => !UNANSWERED[word]?.includes(name));
  test(`50 connections of each kind over ${word} leave no socket, handle, timer or listener`, async () => {
    for (const [i, left] of (await remains(word, 50, 1, names)).entries()) {
      const { sockets, listeners, warnings } = left;
      assert.deepEqual([listeners, warnings], [0, 0], names[i]);
      assert.ok(sockets <= SOCKET_SLACK, `${names[i]}: ${sockets} sockets were not collected`);
    }
  });
}
