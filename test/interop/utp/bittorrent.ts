import type { Duplex } from "node:stream";

const PROTOCOL = Buffer.from("\x13BitTorrent protocol", "latin1");
/** Protocol, 8 reserved bytes, the torrent's hash, the peer's id (BEP 3). */
const HANDSHAKE_SIZE = PROTOCOL.length + 8 + 20 + 20;
const PEER_ID = Buffer.from("-1T0001-utpinteropte", "latin1");
/** What every client asks for at once. */
export const BLOCK = 16_384;

export const UNCHOKE = 1;
export const INTERESTED = 2;
export const BITFIELD = 5;
export const REQUEST = 6;
export const PIECE = 7;

/** One message of the peer wire protocol (BEP 3). */
export interface WireMessage {
  readonly type: number;
  readonly body: Buffer;
}

/** The BitTorrent peer wire protocol on a stream, as little of it as moves a file. */
export class BitTorrentWire {
  readonly #stream: Duplex;
  readonly #onMessage: (message: WireMessage) => void;
  #bytes = Buffer.alloc(0);
  #greeted = false;

  /** Says hello; `onMessage` hears what comes after the other side's hello for the same torrent. */
  constructor(stream: Duplex, hash: Buffer, onMessage: (message: WireMessage) => void) {
    this.#stream = stream;
    this.#onMessage = onMessage;
    stream.write(Buffer.concat([PROTOCOL, Buffer.alloc(8), hash, PEER_ID]));
    stream.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      if (!this.#greeted) this.#hearHello(hash);
      if (this.#greeted) this.#hearMessages();
    });
  }

  #hearHello(hash: Buffer): void {
    if (this.#bytes.length < HANDSHAKE_SIZE) return;
    const head = this.#bytes.subarray(0, PROTOCOL.length);
    const torrent = this.#bytes.subarray(PROTOCOL.length + 8, PROTOCOL.length + 28);
    if (!head.equals(PROTOCOL) || !torrent.equals(hash)) {
      this.#stream.destroy(new Error(`not a peer of this torrent: ${head}`));
      return;
    }
    this.#greeted = true;
    this.#bytes = this.#bytes.subarray(HANDSHAKE_SIZE);
  }

  #hearMessages(): void {
    for (;;) {
      if (this.#bytes.length < 4) return;
      const end = 4 + this.#bytes.readUInt32BE();
      if (this.#bytes.length < end) return;
      const message = this.#bytes.subarray(4, end);
      this.#bytes = this.#bytes.subarray(end);
      // A message without type only keeps the connection alive.
      if (message.length > 0) this.#onMessage({ type: message[0]!, body: message.subarray(1) });
    }
  }

  send(type: number, ...body: readonly (number | Uint8Array)[]): void {
    const parts = body.map((part) => (typeof part === "number" ? uint32(part) : part));
    const length = parts.reduce((sum, part) => sum + part.length, 1);
    this.#stream.write(Buffer.concat([uint32(length), Buffer.of(type), ...parts]));
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
