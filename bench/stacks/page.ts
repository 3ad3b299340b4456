import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { Page } from "playwright-core";
import { startChromium } from "../../test/browser/kit/chromium.ts";
import { serveFiles } from "../../test/browser/kit/file-server.ts";
import type { Stack } from "../contest.ts";

/** How long a page writes, in ms. */
const BURST_MS = 400;

/** Writes chunks for so long, then the byte that is answered; resolves with MB/s. Runs in the page. */
const BURST = `async ({ write, answer }) => {
  const chunk = new Uint8Array(65536);
  const started = performance.now();
  let bytes = 1;
  for (; performance.now() < started + ${BURST_MS}; bytes += chunk.length) await write(chunk);
  await write(Uint8Array.of(1));
  await answer;
  return bytes / 1000 / (performance.now() - started);
}`;

/** A page's end of 1tp over websocket. */
export const ONETP_PAGE = `async (info) => {
  const socket = await new onetp.net.Socket([new onetp.transports.websocket()]).connectP(info);
  const answer = new Promise((resolve) => socket.once("data", resolve));
  const write = (chunk) => socket.write(chunk) || new Promise((resolve) => socket.once("drain", resolve));
  const figure = await burst({ write, answer });
  socket.end();
  return figure;
}`;

/** A page's end of a WebSocket as it is, which holds a megabyte at most. */
export const BARE_PAGE = `async (port) => {
  const socket = new WebSocket("ws://127.0.0.1:" + port);
  await new Promise((resolve) => (socket.onopen = resolve));
  const answer = new Promise((resolve) => (socket.onmessage = resolve));
  const turns = new MessageChannel();
  const turn = () => new Promise((resolve) => {
    turns.port1.onmessage = resolve;
    turns.port2.postMessage(0);
  });
  const write = async (chunk) => {
    socket.send(chunk);
    while (socket.bufferedAmount > 1048576) await turn();
  };
  const figure = await burst({ write, answer });
  socket.close();
  return figure;
}`;

let opened: Promise<Page> | undefined;

/** A page with the built library and `burst`, which ends with this process. */
async function openPage(): Promise<Page> {
  const folder = join(tmpdir(), `1tp-bench-${process.pid}`);
  execFileSync("npm", ["run", "--silent", "build:browser", "--", folder]);
  const scripts = `<script src="/1tp.min.js"></script><script>const burst = ${BURST};</script>`;
  const files = new Map([
    ["/", `<!doctype html>${scripts}`],
    ["/1tp.min.js", readFileSync(join(folder, "1tp.min.js"), "utf8")],
  ]);
  const [browser, { origin }] = await Promise.all([startChromium(), serveFiles(files)]);
  const page = await browser.newPage();
  await page.goto(origin);
  return page;
}

/** A stack whose client is in a page; what a connection brings is the figure of one burst. */
export function inPage({ name, listen }: Stack, client: string): Stack {
  return {
    name: `${name} in a page`,
    listen,
    async connect(address) {
      opened ??= openPage();
      const page = await opened;
      return Duplex.from([`${await page.evaluate(`(${client})(${JSON.stringify(address)})`)}`]);
    },
  };
}
