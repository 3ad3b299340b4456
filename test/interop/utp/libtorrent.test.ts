import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { after, describe, test } from "node:test";
import { connect, createServer } from "../../../src/utp-net/index.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { Pattern } from "../../kit/pattern.ts";
import { UdpRelay } from "../../kit/udp-relay.ts";
import { BITFIELD, BitTorrentWire, BLOCK, INTERESTED, PIECE, REQUEST, UNCHOKE } from "./bittorrent.ts";

/** Debian's own, for which python3-libtorrent is built. */
const PYTHON = "/usr/bin/python3";
const PROGRAM = new URL("./libtorrent-peer.py", import.meta.url).pathname;
const NAME = "file";
const SIZE = 3_000_000;
/** Requests under way, so that the window fills. */
const PIPELINE = 64;
const LIMIT = { timeout: 60_000 };
const LOSSY = { latency: 3, jitter: 1, loss: 0.005, reorder: 0.01, reorderDelay: 2 };

interface Ready {
  readonly port: number;
  readonly torrent: string;
  readonly hash: string;
  readonly pieces: number;
  readonly pieceLength: number;
}

const content = Buffer.from(new Pattern(1).slice(0, 65_536));
const file = Buffer.concat(Array.from({ length: Math.ceil(SIZE / content.length) }, () => content)).subarray(
  0,
  SIZE,
);

/** A process with a libtorrent session that speaks uTP only. */
class Libtorrent extends EventEmitter {
  readonly #process: ChildProcess;

  constructor(...words: readonly string[]) {
    super();
    this.#process = spawn(PYTHON, [PROGRAM, ...words], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout! }).on("line", (line) => {
      const { event, ...rest } = JSON.parse(line);
      this.emit(event, rest);
    });
  }

  async ready(): Promise<Ready> {
    const ended = once(this.#process, "exit").then(([code]) => {
      throw new Error(`libtorrent ended with ${code} before it was ready`);
    });
    const [ready] = await Promise.race([once(this, "ready"), ended]);
    return ready;
  }

  async end(): Promise<void> {
    this.#process.stdin!.end();
    if (this.#process.exitCode === null) await once(this.#process, "exit");
  }
}

/** Asks for every block and resolves with the file. */
function fetch(stream: Duplex, { hash, pieces, pieceLength }: Ready): Promise<Buffer> {
  const whole = Buffer.alloc(SIZE);
  const blocks: { readonly piece: number; readonly begin: number; readonly length: number }[] = [];
  for (let at = 0; at < SIZE; at += BLOCK) {
    const length = Math.min(BLOCK, SIZE - at);
    blocks.push({ piece: Math.floor(at / pieceLength), begin: at % pieceLength, length });
  }
  assert.equal(pieces, Math.ceil(SIZE / pieceLength));
  let missing = SIZE;
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    const ask = (): void => {
      const block = blocks.shift();
      if (block) wire.send(REQUEST, block.piece, block.begin, block.length);
    };
    const wire = new BitTorrentWire(stream, Buffer.from(hash, "hex"), ({ type, body }) => {
      if (type === UNCHOKE) for (let i = 0; i < PIPELINE; i++) ask();
      if (type !== PIECE) return;
      body.copy(whole, body.readUInt32BE() * pieceLength + body.readUInt32BE(4), 8);
      missing -= body.length - 8;
      ask();
      if (missing === 0) resolve(whole);
    });
    wire.send(INTERESTED);
  });
}

/** Gives every block that is asked for. */
function serve(stream: Duplex, { hash, pieces, pieceLength }: Ready): void {
  stream.on("error", () => {});
  const all = Buffer.alloc(Math.ceil(pieces / 8));
  for (let piece = 0; piece < pieces; piece++) all[piece >> 3]! |= 0x80 >> (piece & 7);
  const wire = new BitTorrentWire(stream, Buffer.from(hash, "hex"), ({ type, body }) => {
    if (type === INTERESTED) wire.send(UNCHOKE);
    if (type !== REQUEST) return;
    const [piece, begin, length] = [body.readUInt32BE(), body.readUInt32BE(4), body.readUInt32BE(8)];
    const at = piece * pieceLength + begin;
    wire.send(PIECE, piece, begin, file.subarray(at, at + length));
  });
  wire.send(BITFIELD, all);
}

describe("with libtorrent, over uTP alone", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-libtorrent-"));
  writeFileSync(join(folder, NAME), file);
  after(() => rmSync(folder, { recursive: true }));

  const LINKS: readonly (readonly [string, LinkOptions])[] = [
    ["", {}],
    [" over a link that loses and reorders", LOSSY],
  ];
  for (const [where, link] of LINKS) {
    // A seed of its own each time: whom it serves next is its own business.
    test(`we dial a seed and fetch its file${where}`, LIMIT, async () => {
      const seed = new Libtorrent("seed", folder, NAME);
      const torrent = await seed.ready();
      const relay = await UdpRelay.open(torrent.port, link);
      const connection = connect(relay.port, "127.0.0.1", { mtu: 1400 });
      try {
        assert.ok((await fetch(connection, torrent)).equals(file));
      } finally {
        connection.destroy();
        relay.close();
        await seed.end();
      }
    });

    test(`it dials us and fetches the file from us${where}`, LIMIT, async () => {
      const seed = new Libtorrent("seed", folder, NAME);
      const torrent = await seed.ready();
      await seed.end();
      const connections: Duplex[] = [];
      const server = createServer({ mtu: 1400 }, (connection) => {
        connections.push(connection);
        serve(connection, torrent);
      });
      server.listen(0, "udp4");
      await once(server, "listening");
      const relay = await UdpRelay.open(server.address()!.port, link);
      const target = mkdtempSync(join(tmpdir(), "1tp-libtorrent-"));
      const leech = new Libtorrent("leech", target, NAME, torrent.torrent, `${relay.port}`);
      try {
        await once(leech, "torrent_finished");
        await leech.end();
        assert.ok(readFileSync(join(target, NAME)).equals(file));
      } finally {
        await leech.end();
        for (const connection of connections) connection.destroy();
        server.close();
        relay.close();
        rmSync(target, { recursive: true });
      }
    });
  }
});
