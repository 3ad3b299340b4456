// Sends a file to another machine: `send <file>` prints a ticket, `receive <ticket> [folder]` fetches the file.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/send-file.ts (nothing more: it sends to itself)
import { createHash, type Hash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, win32 } from "node:path";
import { text } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { decodeTicket, encodeTicket, net, type Socket } from "1tp";

/** Offers the file to the first who comes: a line of JSON, then the bytes. The answer is their SHA-256. */
async function send(path: string, onTicket: (ticket: string) => void): Promise<void> {
  const { size } = await stat(path);
  const server = net.createServer({ allowHalfOpen: true });
  onTicket(encodeTicket(await server.listenP()));
  const [socket] = (await once(server, "connection")) as [Socket];
  server.close();
  socket.write(`${JSON.stringify({ name: basename(path), size })}\n`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), meter("sent", size, hash), socket);
  const answer = await text(socket); // our side has ended, the other one is still open
  if (answer !== hash.digest("hex")) throw new Error("the other side did not get what was sent");
  console.log(`Sent ${size} bytes over ${socket.transport}, SHA-256 ${answer} on both sides`);
}

/** Fetches what the ticket stands for into a new file in `folder`. */
async function receive(ticket: string, folder: string): Promise<void> {
  const socket = net.createConnection(decodeTicket(ticket), { allowHalfOpen: true });
  try {
    const { name, size } = await readHeader(socket);
    const path = join(folder, name);
    const file = await open(path, "wx"); // never overwrites
    const hash = createHash("sha256");
    await pipeline(bytesOf(socket), meter("received", size, hash), file.createWriteStream()).catch(
      async (error) => {
        await rm(path);
        throw error;
      },
    );
    await finished(socket.end(hash.digest("hex")));
    console.log(`Received ${path}`);
  } finally {
    socket.destroy();
  }
}

/** What comes in, in a way that keeps the socket open for an answer. */
function bytesOf(socket: Socket): AsyncIterable<Buffer> {
  return socket.iterator({ destroyOnReturn: false });
}

/** The first line. A stranger wrote it: the name must neither lead elsewhere, nor hide, nor control a terminal. */
async function readHeader(socket: Socket): Promise<{ name: string; size: number }> {
  let head = Buffer.alloc(0);
  for await (const chunk of bytesOf(socket)) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\n");
    if (end < 0 && head.length < 4096) continue;
    const { name, size } = JSON.parse(head.toString("utf8", 0, end));
    socket.unshift(head.subarray(end + 1));
    return {
      name: win32.basename(`${name}`).replace(/^[.\p{C}]+|\p{C}/gu, "") || "file",
      size: Number(size),
    };
  }
  throw new Error("the sender left before it began");
}

/** Lets exactly `size` bytes through to the next in a pipeline. */
function meter(what: string, size: number, hash: Hash) {
  const show = progress(what);
  return async function* (chunks: AsyncIterable<Buffer>) {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (!(bytes <= size)) throw new Error("more came than was announced");
      hash.update(chunk);
      show(Math.floor((100 * bytes) / size));
      yield chunk;
    }
    if (bytes !== size) throw new Error(`only ${bytes} of ${size} bytes came`);
  };
}

/** Shows how far it is: a bar on a terminal, else a few lines. */
function progress(what: string): (percent: number) => void {
  const { isTTY } = process.stderr;
  const step = isTTY ? 1 : 25;
  let next = step;
  return (percent) => {
    if (percent < next) return;
    next = percent + step;
    const bar = `\r[${"#".repeat(percent / 4).padEnd(25, ".")}] ${percent} %${percent < 100 ? "" : "\n"}`;
    process.stderr.write(isTTY ? bar : `${what} ${percent} %\n`);
  };
}

/** Both sides in one process, with 16 MiB of random bytes. */
async function demonstrate(): Promise<void> {
  const [here, there] = [await mkdtemp(join(tmpdir(), "1tp-")), await mkdtemp(join(tmpdir(), "1tp-"))];
  const path = join(here, "random.bin");
  let received: Promise<void> | undefined;
  try {
    await writeFile(path, randomBytes(2 ** 24));
    await send(path, (ticket) => {
      received = receive(ticket, there);
    });
    await received;
  } finally {
    for (const folder of [here, there]) await rm(folder, { recursive: true });
  }
}

const [command, what, folder = "."] = process.argv.slice(2);
try {
  if (command === "send" && what) await send(what, console.log);
  else if (command === "receive" && what) await receive(what, folder);
  else if (command === undefined) await demonstrate();
  else throw new Error("give me `send <file>`, `receive <ticket> [folder]` or nothing");
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
