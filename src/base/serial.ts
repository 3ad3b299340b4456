/** Serial number arithmetic on 16 bits (RFC 1982), for sequence numbers that wrap. */

/** `a - b` as a signed distance, -32768 to 32767. */
export function serialDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** Whether `a` comes before `b`. */
export function serialLess(a: number, b: number): boolean {
  return serialDistance(a, b) < 0;
}

/** `a + n` on the 16-bit circle; `n` may be negative. */
export function serialAdd(a: number, n: number): number {
  return (a + n) & 0xffff;
}
