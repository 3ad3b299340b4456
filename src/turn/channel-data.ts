/*
 * ChannelData (RFC 8656 §12.4): `channel (2) | length (2) | data`, over streams padded to a multiple of 4.
 */

/** Bytes before the data. */
export const CHANNEL_HEADER = 4;
/** The channels a client may bind (RFC 8656 §12). */
export const FIRST_CHANNEL = 0x4000;
export const LAST_CHANNEL = 0x4fff;

/** Writes a frame at the beginning of `out`, which has room for it, and returns it as a view. */
export function writeChannelData(out: Uint8Array, channel: number, data: Uint8Array): Uint8Array {
  out[0] = channel >> 8;
  out[1] = channel;
  out[2] = data.length >> 8;
  out[3] = data.length;
  out.set(data, CHANNEL_HEADER);
  return out.subarray(0, CHANNEL_HEADER + data.length);
}

/** The channel of what `isChannelData`. */
export function channelOf(frame: Uint8Array): number {
  return (frame[0]! << 8) | frame[1]!;
}

/** The data of a frame, a view of it; undefined if it is shorter than it says. What follows is padding. */
export function dataOf(frame: Uint8Array): Uint8Array | undefined {
  const end = CHANNEL_HEADER + ((frame[2]! << 8) | frame[3]!);
  return end > frame.length ? undefined : frame.subarray(CHANNEL_HEADER, end);
}
