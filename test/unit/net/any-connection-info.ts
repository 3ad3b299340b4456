import fc from "fast-check";
import { toBase64Url } from "../../../src/base/bytes.ts";

const key = fc.constantFrom(1, 1, 1, 2).map((byte) => toBase64Url(new Uint8Array(32).fill(byte)));

/** Any value at all, the ones JSON knows more often. */
const junk = fc.oneof(
  { arbitrary: fc.jsonValue(), weight: 3 },
  {
    arbitrary: fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
    weight: 1,
  },
);

const mostly = <T>(good: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: good as fc.Arbitrary<unknown>, weight: 9 }, { arbitrary: junk, weight: 1 });

const transportInfo = fc.oneof(
  fc.record({ address: mostly(fc.oneof(fc.ipV4(), fc.ipV6())), port: mostly(fc.nat(65_535)) }),
  fc.dictionary(fc.string(), fc.jsonValue()),
);

/** What a server may have written, or somebody who wants to be taken for one. */
const entry = fc.record(
  {
    transportType: mostly(fc.constantFrom("tcp", "udp", "turn-udp", "memory")),
    transportInfo: mostly(transportInfo),
    version: mostly(fc.constantFrom("1.0.0", "0.21.1")),
    publicKey: mostly(key),
    suite: mostly(fc.constantFrom("AESGCM", "ChaChaPoly")),
    more: junk,
  },
  { requiredKeys: ["transportType", "transportInfo"] },
);

/** Anything, from what is no connectionInfo at all to a good one. */
export const anyConnectionInfo = fc.oneof(
  { arbitrary: junk, weight: 1 },
  { arbitrary: entry, weight: 1 },
  { arbitrary: fc.array(mostly(entry), { maxLength: 8 }), weight: 4 },
);
