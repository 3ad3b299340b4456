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

async function cycles(word: string, name: string): Promise<Remains> {
  const flags = ["--expose-gc", "--conditions=1tp-source", "--import", "tsx"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, PROGRAM, word, name]);
  return JSON.parse(stdout);
}

/** With sessions, under which a transport's own channels come and go as well. */
for (const word of ["tcp", "memory"]) {
  describe(`1,000 connections over ${word} leave nothing behind`, () => {
    for (const name of CYCLE_NAMES) {
      test(name, async (t) => {
        const { sockets, heap, listeners, warnings } = await cycles(word, name);
        t.diagnostic(`heap grew by ${heap} bytes, ${sockets} sockets left`);
        assert.equal(listeners, 0);
        assert.equal(warnings, 0);
        assert.ok(sockets <= SOCKET_SLACK, `${sockets} sockets were not collected`);
        assert.ok(heap <= HEAP_SLACK, `the heap grew by ${heap} bytes`);
      });
    }
  });
}
