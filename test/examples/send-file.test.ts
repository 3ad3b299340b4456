import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { encodeTicket, net } from "1tp";
import { type Ending, runExample, startExample } from "./example.ts";

/** A folder for one test. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "1tp-send-file-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the example does with a sender that sends these bytes and ends. */
async function receiveFrom(bytes: string, folder: string): Promise<Ending> {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined); // The receiver may leave as it likes.
    socket.resume().end(bytes);
  });
  const ticket = encodeTicket(await server.listenP());
  try {
    return await runExample("send-file", "receive", ticket, folder);
  } finally {
    await server.closeP();
  }
}

describe("send-file", () => {
  test("alone sends a file to itself", async () => {
    const { code, stdout, stderr } = await runExample("send-file");
    assert.match(stdout, /^Sent 16777216 bytes over [a-z]+, SHA-256 [0-9a-f]{64} on both sides$/m);
    assert.match(stdout, /^Received .*random\.bin$/m);
    const progress = ["sent", "received"].flatMap((what) => [25, 50, 75, 100].map((n) => `${what} ${n} %`));
    assert.deepEqual(stderr.trimEnd().split("\n").sort(), progress.sort());
    assert.equal(code, 0);
  });

  for (const size of [0, 1, 1_000_003]) {
    test(`brings ${size} bytes from one process to another`, () =>
      inFolder(async (folder) => {
        const content = randomBytes(size);
        const inbox = join(folder, "inbox");
        mkdirSync(inbox);
        writeFileSync(join(folder, "gift ☂.bin"), content);
        const sender = startExample("send-file", "send", join(folder, "gift ☂.bin"));
        const receiver = await runExample("send-file", "receive", await sender.firstLine, inbox);
        const sent = await sender.ending;
        assert.deepEqual([receiver.code, sent.code], [0, 0], `${receiver.stderr}${sent.stderr}`);
        assert.deepEqual(readdirSync(inbox), ["gift ☂.bin"]);
        assert.ok(readFileSync(join(inbox, "gift ☂.bin")).equals(content));
        const sum = createHash("sha256").update(content).digest("hex");
        assert.ok(sent.stdout.includes(`SHA-256 ${sum} on both sides`), sent.stdout);
      }));
  }

  test("never overwrites a file, and tells both sides that it failed", () =>
    inFolder(async (folder) => {
      const inbox = join(folder, "inbox");
      mkdirSync(inbox);
      writeFileSync(join(folder, "name"), randomBytes(5_000_000));
      writeFileSync(join(inbox, "name"), "precious");
      const sender = startExample("send-file", "send", join(folder, "name"));
      const receiver = await runExample("send-file", "receive", await sender.firstLine, inbox);
      assert.equal(receiver.code, 1);
      assert.match(receiver.stderr, /EEXIST/);
      assert.equal((await sender.ending).code, 1);
      assert.equal(readFileSync(join(inbox, "name"), "utf8"), "precious");
    }));

  const hostileNames = {
    "../../up.txt": "up.txt",
    "/etc/absolute": "absolute",
    "C:\\Windows\\back.slash": "back.slash",
    ".hidden": "hidden",
    "\u0007.\u001b[2Jbell": "[2Jbell",
    "..": "file",
    "": "file",
  };
  for (const [name, safe] of Object.entries(hostileNames)) {
    test(`writes what calls itself ${JSON.stringify(name)} as ${safe}`, () =>
      inFolder(async (folder) => {
        const inbox = join(folder, "a", "b");
        mkdirSync(inbox, { recursive: true });
        const { code, stderr } = await receiveFrom(`${JSON.stringify({ name, size: 2 })}\nhi`, inbox);
        assert.equal(code, 0, stderr);
        const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
        assert.deepEqual(files.sort(), ["a", join("a", "b"), join("a", "b", safe)]);
      }));
  }

  const badSenders = {
    "stops early": { bytes: '{"name":"x","size":3}\nhi', reason: /only 2 of 3 bytes came/ },
    "sends more than it said": { bytes: '{"name":"x","size":1}\nhi', reason: /more came than was announced/ },
    "does not say how much comes": { bytes: '{"name":"x"}\nhi', reason: /more came than was announced/ },
    "begins with something else": { bytes: "SSH-2.0-OpenSSH\r\n", reason: /JSON/ },
    "never ends its first line": { bytes: "x".repeat(5000), reason: /JSON/ },
    "leaves at once": { bytes: "", reason: /left before it began/ },
  };
  for (const [what, { bytes, reason }] of Object.entries(badSenders)) {
    test(`leaves no file behind when the sender ${what}`, () =>
      inFolder(async (folder) => {
        const { code, stderr } = await receiveFrom(bytes, folder);
        assert.match(stderr, reason);
        assert.equal(code, 1);
        assert.deepEqual(readdirSync(folder), []);
      }));
  }

  test("without a file to send it says what it takes", async () => {
    const { code, stdout, stderr } = await runExample("send-file", "send");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /give me `send <file>`/);
  });
});
