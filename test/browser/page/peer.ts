import { sha256 } from "@noble/hashes/sha2.js";
import {
  type ConnectionInfo,
  net,
  type Server,
  type Socket,
  type Transport,
  transports,
  WebSocketSignaling,
} from "1tp";
import { toHex } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";

/** What one end of an echo saw. */
export interface EchoResult {
  readonly sent: string;
  readonly received: string;
  readonly bytes: number;
  readonly transport: string | undefined;
  readonly remotePublicKey: string | undefined;
}

const CHUNK = 65_536;

const own = new Map<string, Transport>();

/** The transport of that word that this page dials and listens with, made the first time; undefined for `default`. */
function transport(word: string): readonly Transport[] | undefined {
  if (word === "default") return undefined;
  const made = own.get(word) ?? make(word);
  own.set(word, made);
  return [made];
}

/** What the transports of a page are made with. */
export interface PageOptions {
  /** Where signaled transports meet. */
  readonly registrar?: string;
  readonly config?: object;
}

let pageOptions: PageOptions = {};

/** Transports are made with that from now on. */
export function configure(wanted: PageOptions): void {
  pageOptions = wanted;
}

function make(word: string): Transport {
  const { registrar, ...options } = pageOptions;
  const Class = transports[word as "memory"] as new (options: object) => Transport;
  return new Class(
    registrar ? { ...options, signaling: new WebSocketSignaling({ url: registrar }) } : options,
  );
}

/** Sends `length` bytes to a server that echoes them, and reads them meanwhile. */
export async function echo(info: ConnectionInfo, word: string, length: number): Promise<EchoResult> {
  const socket = await new net.Socket(transport(word)).connectP(info);
  const [sent, [received, bytes]] = await Promise.all([send(socket, length), receive(socket)]);
  return { sent, received, bytes, transport: socket.transport, remotePublicKey: socket.remotePublicKey };
}

async function send(socket: Socket, length: number): Promise<string> {
  const chunk = seededRandom(length).fill(new Uint8Array(CHUNK));
  const hash = sha256.create();
  for (let at = 0; at < length; at += CHUNK) {
    const part = chunk.slice(0, length - at);
    part[0] = at / CHUNK;
    hash.update(part);
    if (!socket.write(part)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  return toHex(hash.digest());
}

async function receive(socket: Socket): Promise<[hash: string, bytes: number]> {
  const hash = sha256.create();
  let bytes = 0;
  for await (const chunk of socket) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return [toHex(hash.digest()), bytes];
}

const sockets = new Map<number, { readonly socket: Socket; readonly notes: string[] }>();

/** Connects a socket that notes its events, for the calls below. */
export async function open(id: number, info: ConnectionInfo, word: string): Promise<void> {
  const socket = new net.Socket(transport(word), { allowHalfOpen: true });
  sockets.set(id, { socket, notes: watch(socket) });
  await socket.connectP(info);
}

function watch(socket: Socket): string[] {
  const notes: string[] = [];
  socket.on("data", (chunk) => notes.push(`data ${chunk}`));
  socket.on("error", (error: Error & { code?: string }) => notes.push(`error ${error.code}`));
  for (const event of ["end", "finish", "close"]) socket.on(event, () => notes.push(event));
  return notes;
}

/** Calls a method of a socket. */
export function act(
  id: number,
  method: "write" | "end" | "destroy" | "resetAndDestroy",
  text?: string,
): void {
  const { socket } = sockets.get(id)!;
  (socket[method] as (text?: string) => void).call(socket, ...(text === undefined ? [] : [text]));
}

/** Resolves with all that a socket has noted, once it has noted `event`. */
export async function noted(id: number, event: string): Promise<readonly string[]> {
  const { socket, notes } = sockets.get(id)!;
  while (!notes.some((note) => note.startsWith(event))) {
    await new Promise((resolve) => socket.once(event, () => queueMicrotask(() => resolve(undefined))));
  }
  return notes;
}

/** Sends without end, and without waiting for anybody. */
export async function flood(info: ConnectionInfo, word: string): Promise<void> {
  const socket = await new net.Socket(transport(word)).connectP(info);
  const chunk = new Uint8Array(CHUNK);
  socket.on("error", () => undefined);
  const pump = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pump);
  pump();
}

let server: Server | undefined;

/** Listens in this page and echoes. */
export async function serveEcho(word: string): Promise<ConnectionInfo> {
  server = net.createServer(transport(word), {}, (socket) =>
    socket.on("error", () => undefined).pipe(socket),
  );
  return server.listenP();
}
