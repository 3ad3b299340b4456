import { Buffer } from "#platform";
import { typeError } from "../base/argument.ts";
import type { Framing } from "../host/utp-channel.ts";
import type { UtpConnection } from "../utp/connection.ts";
import { checkMeta } from "../utp/settings.ts";

/** Bytes with metadata: text is sent as UTF-8; at most 255 bytes. */
export interface MetaBytes extends Uint8Array {
  meta?: string | Uint8Array;
}

/** What is read in object mode: one packet. `meta` is undefined if its sender gave none. */
export interface MetaBuffer extends Buffer {
  meta?: Buffer;
}

/** Packet by packet, with the metadata of each. */
export const PACKETS: Framing = {
  read(connection) {
    const packet = connection.readPacket();
    if (!packet) return undefined;
    const buffer: MetaBuffer = toBuffer(packet.data);
    if (packet.meta) buffer.meta = toBuffer(packet.meta);
    return buffer;
  },
  write: (connection: UtpConnection, chunk: MetaBytes) =>
    connection.write(new Uint8Array(chunk), metaOf(chunk)),
};

/** Bytes with metadata as a Buffer with metadata that is its own; anything else as it is. @throws for wrong metadata. */
export function toPacket(chunk: unknown): unknown {
  const meta = metaOf(chunk);
  return meta && chunk instanceof Uint8Array ? Object.assign(toBuffer(chunk), { meta }) : chunk;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A copy of a chunk's metadata. Throws if it is neither text nor bytes, or too long. */
function metaOf(chunk: unknown): Uint8Array | undefined {
  const meta = typeof chunk === "object" && chunk !== null && "meta" in chunk ? chunk.meta : undefined;
  if (meta === undefined) return undefined;
  if (typeof meta !== "string" && !(meta instanceof Uint8Array)) {
    throw typeError("chunk.meta", "of type string or an instance of Buffer or Uint8Array", meta);
  }
  const bytes = typeof meta === "string" ? new TextEncoder().encode(meta) : new Uint8Array(meta);
  checkMeta("chunk.meta", bytes);
  return bytes;
}

/** What a dialler sends first. @throws ERR_INVALID_ARG_TYPE if it is neither text nor bytes. */
export function initialData(
  data: unknown,
  objectMode: boolean,
): { readonly bytes?: Uint8Array; readonly meta?: Uint8Array | undefined } {
  if (data === undefined) return {};
  if (typeof data === "string") return { bytes: new TextEncoder().encode(data) };
  if (!(data instanceof Uint8Array)) {
    throw typeError("options.data", "of type string or an instance of Buffer or Uint8Array", data);
  }
  return { bytes: new Uint8Array(data), meta: objectMode ? metaOf(data) : undefined };
}
