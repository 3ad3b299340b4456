/** Frames: type (1 byte), length (2 bytes), body. Numbers are big-endian, offsets 8 bytes. */

/** Largest body of a MESSAGE frame in bytes. */
export const MAX_MESSAGE = 16_384;

/** Bytes before a frame's body. */
const HEADER = 3;

/** Bytes of a DATA frame before its data. */
export const DATA_HEADER = HEADER + 8;

/** Types from here on are skipped when unknown; unknown ones below break the session. */
const OPTIONAL_TYPES = 0x40;

/** Why a RESET was sent. */
export const RESET_REASONS = { aborted: 0, refused: 1 } as const;

/** What two sessions say to each other inside a record. */
export type Frame =
  | { readonly type: "data"; readonly offset: number; readonly body: Uint8Array }
  /** The stream ends at `offset`; the end itself counts one. */
  | { readonly type: "end"; readonly offset: number }
  | { readonly type: "reset"; readonly reason: number }
  | { readonly type: "ping"; readonly token: number }
  | { readonly type: "pong"; readonly token: number }
  /** All before `offset` has come, and `window` more bytes may be sent. */
  | { readonly type: "ack"; readonly offset: number; readonly window: number }
  | { readonly type: "confirm" }
  | { readonly type: "message"; readonly channel: number; readonly body: Uint8Array }
  /** Of a newer version, to be skipped. */
  | { readonly type: "unknown"; readonly number: number };

const TYPES = { data: 1, end: 2, reset: 3, ping: 4, pong: 5, ack: 6, confirm: 7, message: 8 } as const;

/** Lengths of the bodies that always have the same. */
const FIXED_LENGTHS: Readonly<Record<number, number>> = {
  [TYPES.end]: 8,
  [TYPES.reset]: 1,
  [TYPES.ping]: 4,
  [TYPES.pong]: 4,
  [TYPES.ack]: 12,
  [TYPES.confirm]: 0,
};

/** Writes frames one after the other into a buffer that is large enough. */
export class FrameWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Bytes written so far. */
  length = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#bytes.length - this.length;
  }

  write(frame: Exclude<Frame, { type: "unknown" | "data" }>): void {
    switch (frame.type) {
      case "end":
        this.#header(TYPES.end, 8);
        this.#offset(frame.offset);
        break;
      case "reset":
        this.#header(TYPES.reset, 1);
        this.#bytes[this.length++] = frame.reason;
        break;
      case "ping":
      case "pong":
        this.#header(TYPES[frame.type], 4);
        this.#uint32(frame.token);
        break;
      case "ack":
        this.#header(TYPES.ack, 12);
        this.#offset(frame.offset);
        this.#uint32(frame.window);
        break;
      case "confirm":
        this.#header(TYPES.confirm, 0);
        break;
      case "message":
        this.#header(TYPES.message, 1 + frame.body.length);
        this.#bytes[this.length++] = frame.channel;
        this.#bytes.set(frame.body, this.length);
        this.length += frame.body.length;
    }
  }

  /** A DATA frame whose `size` bytes `fill` puts into the buffer at the index it is given. */
  writeData(offset: number, size: number, fill: (bytes: Uint8Array, at: number) => void): void {
    this.#header(TYPES.data, 8 + size);
    this.#offset(offset);
    fill(this.#bytes, this.length);
    this.length += size;
  }

  #header(type: number, length: number): void {
    this.#bytes[this.length] = type;
    this.#view.setUint16(this.length + 1, length);
    this.length += HEADER;
  }

  #offset(offset: number): void {
    this.#uint32(Math.floor(offset / 2 ** 32));
    this.#uint32(offset >>> 0);
  }

  #uint32(value: number): void {
    this.#view.setUint32(this.length, value);
    this.length += 4;
  }
}

/** Chosen: bodies this small are joined or gone soon, and copying them would only cost. */
const WORTH_COPYING = 512;

/**
 * A body for somebody to keep: in place, or copied where the rest of its record would be kept for nothing. Without that a peer's
 * padding would make us hold a hundred times its window.
 */
function keepable(body: Uint8Array): Uint8Array {
  return body.buffer.byteLength > 2 * body.length + WORTH_COPYING ? new Uint8Array(body) : body;
}

/** The frames of a record's plaintext; undefined if any of them is malformed. */
export function decodeFrames(bytes: Uint8Array): readonly Frame[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEADER) return undefined;
    const type = bytes[at]!;
    const start = at + HEADER;
    const end = start + view.getUint16(at + 1);
    if (end > bytes.length) return undefined;
    const frame = decodeFrame(type, view, bytes.subarray(start, end), start);
    if (!frame) return undefined;
    frames.push(frame);
    at = end;
  }
  return frames;
}

function decodeFrame(type: number, view: DataView, body: Uint8Array, start: number): Frame | undefined {
  if (type === TYPES.data) {
    const offset = body.length < 8 ? undefined : readOffset(view, start);
    return offset === undefined ? undefined : { type: "data", offset, body: keepable(body.subarray(8)) };
  }
  if (type === TYPES.message) {
    const fits = body.length >= 1 && body.length <= 1 + MAX_MESSAGE;
    return fits ? { type: "message", channel: body[0]!, body: keepable(body.subarray(1)) } : undefined;
  }
  if (type >= OPTIONAL_TYPES) return { type: "unknown", number: type };
  return FIXED_LENGTHS[type] === body.length ? decodeFixed(type, view, start) : undefined;
}

function decodeFixed(type: number, view: DataView, start: number): Frame | undefined {
  switch (type) {
    case TYPES.end: {
      const offset = readOffset(view, start);
      return offset === undefined ? undefined : { type: "end", offset };
    }
    case TYPES.ack: {
      const offset = readOffset(view, start);
      return offset === undefined ? undefined : { type: "ack", offset, window: view.getUint32(start + 8) };
    }
    case TYPES.reset:
      return { type: "reset", reason: view.getUint8(start) };
    case TYPES.ping:
      return { type: "ping", token: view.getUint32(start) };
    case TYPES.pong:
      return { type: "pong", token: view.getUint32(start) };
    default:
      return { type: "confirm" };
  }
}

function readOffset(view: DataView, at: number): number | undefined {
  const offset = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  return Number.isSafeInteger(offset) ? offset : undefined;
}
