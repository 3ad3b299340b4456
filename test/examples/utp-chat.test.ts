import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { NODE_FLAGS } from "../run/test-file.ts";
import { runExample } from "./example.ts";

/** One terminal. */
class Terminal {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly stderr: Promise<string>;
  readonly exit: Promise<unknown[]>;

  constructor(...words: readonly string[]) {
    this.#child = spawn(process.execPath, [...NODE_FLAGS, "examples/utp-chat.ts", ...words], {
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    this.#lines = createInterface(this.#child.stdout!)[Symbol.asyncIterator]();
    this.stderr = text(this.#child.stderr!);
    this.exit = once(this.#child, "close");
  }

  /** The next line it prints. */
  async line(): Promise<string> {
    const { value } = await this.#lines.next();
    return `${value}`;
  }

  type(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Ctrl-D. */
  end(): void {
    this.#child.stdin!.end();
  }
}

describe("utp-chat", () => {
  test("alone talks to itself", async () => {
    const { code, stdout, stderr } = await runExample("utp-chat");
    assert.equal(stderr, "");
    assert.deepEqual(stdout.split("\n"), [
      "dialler: Can you hear me?",
      "listener: Loud and clear.",
      "dialler: Good to know.",
      "listener: Bye.",
      "",
    ]);
    assert.equal(code, 0);
  });

  test("carries lines between two terminals until one of them ends", async () => {
    const alice = new Terminal("listen", "0");
    const [, port] = /^listening on UDP port (\d+)$/.exec(await alice.line()) ?? [];
    const bob = new Terminal("connect", `${port}`);
    assert.equal(await bob.line(), `talking to 127.0.0.1, port ${port}`);
    assert.match(await alice.line(), /^talking to 127\.0\.0\.1, port \d+$/);
    for (const [from, to, name, line] of [
      [bob, alice, "dialler", "hello ☂"],
      [alice, bob, "listener", "hello to you"],
      [bob, alice, "dialler", "b".repeat(1000)],
    ] as const) {
      const heard = to.line();
      from.type(line);
      assert.equal(await heard, `${name}: ${line}`);
    }
    bob.end();
    assert.deepEqual(await Promise.all([alice.exit, bob.exit, alice.stderr, bob.stderr]), [
      [0, null],
      [0, null],
      "",
      "",
    ]);
  });

  test("says what is wrong where nobody listens", async () => {
    const { code, stderr } = await runExample("utp-chat", "connect", "1");
    assert.equal(code, 1);
    assert.match(stderr, /^Error: connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
  });
});
