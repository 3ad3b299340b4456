import { createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A key and a certificate that it signed itself, both PEM. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** Makes a certificate for one DNS name that is valid from yesterday to tomorrow (RFC 5280 §4.1). */
export function selfSigned(name: string): SelfSigned {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = sequence(set(sequence(oid(COMMON_NAME), tagged(0x0c, Buffer.from(name)))));
  const day = 24 * 3600 * 1000;
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    sequence(oid(ECDSA_SHA256)),
    issuer,
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + day)),
    issuer,
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(extension(ALTERNATIVE_NAME, sequence(tagged(0x82, Buffer.from(name)))))),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, sequence(oid(ECDSA_SHA256)), bits(signature));
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** Object identifiers as DER contents: 2.5.4.3, 2.5.29.17 and 1.2.840.10045.4.3.2. */
const COMMON_NAME = "550403";
const ALTERNATIVE_NAME = "551d11";
const ECDSA_SHA256 = "2a8648ce3d040302";

function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const prefix = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...prefix]), content]);
}

const sequence = (...items: readonly Buffer[]): Buffer => tagged(0x30, ...items);
const set = (...items: readonly Buffer[]): Buffer => tagged(0x31, ...items);
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, "hex"));
const bits = (bytes: Buffer): Buffer => tagged(0x03, Buffer.of(0), bytes);
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tagged(0x04, value));

function utcTime(instant: number): Buffer {
  const digits = new Date(instant).toISOString().replace(/\D/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}
