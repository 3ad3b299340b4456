// Chats with a web page and sends files both ways, in a terminal: type words, or `/send <file>`.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/browser/main.ts [port], and open what it prints
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, join, win32 } from "node:path";
import { createInterface } from "node:readline";
import { finished, pipeline } from "node:stream/promises";
import { net, type Socket, signaling, transports } from "1tp";
import { createRegistrar } from "1tp/registrar";
import { servePage } from "./page-server.ts";
import { type Hello, type Offer, readLine, readLines, writeLine } from "./protocol.ts";

/** Change it to be reached from other machines; browsers then want HTTPS. */
const HOST = "127.0.0.1";

/** Where files from the page go. */
const FOLDER = "received";

const chats = new Set<Socket>();
const offers: { readonly path: string; readonly size: number }[] = [];

const web = createServer();
const registrar = await createRegistrar({ host: HOST });
const meeting = { signaling: new signaling.websocket({ url: registrar.url }) };
const server = net.createServer(
  [new transports.websocket({ server: web }), new transports.webrtc(meeting), new transports.relay(meeting)],
  { allowHalfOpen: true },
);
server.on("connection", (socket) => {
  serve(socket)
    .catch((error) => console.log(`! ${error.message}`))
    .finally(() => socket.destroy());
});
web.listen(Number(process.argv[2] ?? 8000), HOST, async () => {
  const connectionInfo = await server.listenP();
  await servePage(web, { registrar: registrar.url, connectionInfo });
  console.log(`Open ${address()} in a browser; then type here, or /send <file>`);
});

function address(): string {
  const bound = web.address();
  return typeof bound === "object" ? `http://localhost:${bound?.port}` : "";
}

async function serve(socket: Socket): Promise<void> {
  const hello = (await readLine(socket)) as Hello;
  if (hello.kind === "chat") await chat(socket);
  else if (hello.kind === "file") await receive(socket, hello.name, hello.size);
  else await send(socket, hello.id);
}

async function chat(socket: Socket): Promise<void> {
  chats.add(socket);
  console.log(`* a page is here, over ${socket.transport}`);
  try {
    for await (const line of readLines(socket)) if ("text" in line) console.log(`page: ${line.text}`);
  } finally {
    chats.delete(socket);
    console.log("* the page has left");
  }
}

/** A stranger names the file: the name must not lead elsewhere, and what is there stays. */
async function receive(socket: Socket, name: string, size: number): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const path = join(FOLDER, win32.basename(`${name}`).replace(/^[.\p{C}]+|\p{C}/gu, "") || "file");
  const bytes = socket.iterator({ destroyOnReturn: false });
  await pipeline(bytes, createWriteStream(path, { flags: "wx" }));
  const complete = socket.bytesRead >= size;
  console.log(complete ? `* received ${path}, ${size} bytes` : `! ${path} is incomplete`);
  await finished(socket.end(complete ? "complete" : "incomplete"));
}

async function send(socket: Socket, id: number): Promise<void> {
  const offer = offers[id];
  if (!offer) throw new Error("the page asks for a file that was not offered");
  await pipeline(createReadStream(offer.path), socket);
  console.log(`* sent ${offer.path}`);
}

async function offer(path: string): Promise<void> {
  const { size } = await stat(path);
  const offered: Offer = { id: offers.push({ path, size }) - 1, name: basename(path), size };
  for (const socket of chats) writeLine(socket, { offer: offered });
}

const terminal = createInterface({ input: process.stdin });
for await (const line of terminal) {
  const [, path] = /^\/send\s+(.+)$/.exec(line) ?? [];
  if (path) await offer(path).catch((error) => console.log(`! ${error.message}`));
  else for (const socket of chats) writeLine(socket, { text: line });
}
for (const socket of chats) socket.end();
server.close();
web.close();
await meeting.signaling.close();
await registrar.close();
