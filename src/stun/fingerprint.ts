/** FINGERPRINT (RFC 8489 §14.7): tells STUN from what shares its port. */
export const FINGERPRINT_TYPE = 0x8028;

/** What the CRC is XORed with, so that it differs from a CRC that the application itself may carry. */
const XOR = 0x5354554e;

/** The CRC-32 of ITU V.42, reflected. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** The value for a message that so far is `bytes`, its header's length counting the attribute. */
export function fingerprintOf(bytes: Uint8Array): Uint8Array {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!;
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, (crc ^ 0xffffffff ^ XOR) >>> 0);
  return value;
}
