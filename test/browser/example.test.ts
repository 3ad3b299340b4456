import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { seededRandom } from "../../src/base/random.ts";
import { NODE_FLAGS } from "../run/test-file.ts";
import { Lab } from "./kit/lab.ts";

const MIB = 2 ** 20;

/** The picture in the README. */
const SCREENSHOT = resolve("examples/browser/screenshot.png");

const lab = Lab.forThisFile();

/** The terminal's process: what it prints, line by line, and what is typed. */
class Terminal {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(folder: string) {
    const program = resolve("examples/browser/main.ts");
    this.#child = spawn(process.execPath, [...NODE_FLAGS, program, "0"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines: Interface = createInterface({ input: this.#child.stdout! });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    return (await this.#lines.next()).value;
  }

  type(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  async end(): Promise<number> {
    this.#child.stdin!.end();
    const [code] = await once(this.#child, "exit");
    return code;
  }
}

describe("the browser example", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-example-"));
  const bytes = seededRandom(5).fill(new Uint8Array(5 * MIB));
  let terminal: Terminal;
  let url: string;

  before(async () => {
    writeFileSync(join(folder, "photographs.tar"), bytes);
    terminal = new Terminal(folder);
    [url] = /http:\S+/.exec(await terminal.line()) as unknown as [string];
  });

  after(async () => {
    assert.equal(await terminal.end(), 0);
    rmSync(folder, { recursive: true });
  });

  it("chats and sends files both ways, and shows the path and the attempts", async () => {
    const { page } = await lab.visit(url);
    assert.match(await terminal.line(), /^\* a page is here, over [a-z]+$/);
    await page.getByText(/^connected over [a-z]+$/).waitFor();

    await page.fill("#text", "Hello, terminal. Is this really encrypted?");
    await page.press("#text", "Enter");
    assert.equal(await terminal.line(), "page: Hello, terminal. Is this really encrypted?");
    terminal.type("End to end, and the key on the right is mine.");
    await page.getByText("End to end, and the key on the right is mine.").waitFor();

    await page.setInputFiles("#file", {
      name: "holiday.mp4",
      mimeType: "video/mp4",
      buffer: Buffer.from(bytes),
    });
    assert.equal(await terminal.line(), `* received received/holiday.mp4, ${5 * MIB} bytes`);
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, "received/holiday.mp4"))), bytes);
    await page.getByText("holiday.mp4 has arrived").waitFor();

    terminal.type("/send photographs.tar");
    await page.getByRole("button", { name: "Fetch" }).click();
    const saving = page.waitForEvent("download");
    await page.getByText("Save photographs.tar").click();
    const saved = await (await saving).path();
    assert.deepEqual(new Uint8Array(readFileSync(saved)), bytes);
    assert.match(await terminal.line(), /^\* sent photographs\.tar$/);

    assert.equal(await page.locator("#files li").count(), 2);
    for (const row of await page.locator("#files li").allTextContents()) assert.match(row, /100 %/);
    assert.match(await page.textContent("#attempts li.won")!.then(String), /won, \d+–\d+ ms/);
    if (process.env.SCREENSHOT) {
      await page.setViewportSize({ width: 960, height: 560 });
      await page.screenshot({ path: SCREENSHOT });
    }
    await page.close();
    assert.equal(await terminal.line(), "* the page has left");
  });
});
