import type { Crypto } from "../contract/crypto.ts";
import { makeMessage } from "./attribute.ts";
import { checkIntegrity, type IntegrityAlgorithm, sealMessage } from "./integrity.ts";
import type { Message, ReceivedMessage } from "./message.ts";
import { shortTermKey } from "./secrets.ts";
import { USERNAME } from "./texts.ts";

/**
 * What to do with a response: take it, ask again with what it taught, drop it as one whose integrity is missing
 * or wrong, or wait whether the server says that error without integrity once more.
 */
export type Verdict = "accept" | "retry" | "forged" | "unproven";

/** A request on the wire, which knows how its responses are judged. */
export interface SignedRequest {
  readonly bytes: Uint8Array;
  judge(response: ReceivedMessage): Verdict;
}

/** How requests are signed. May be shared by all requests to one server. */
export interface Credentials {
  sign(request: Message): SignedRequest;
}

/** No integrity: any response with the right transaction id is taken. */
export const NO_CREDENTIALS: Credentials = {
  sign: (request) => ({ bytes: sealMessage(request, undefined, true), judge: () => "accept" }),
};

/** What both sides of a short exchange have agreed on elsewhere. */
export interface ShortTermOptions {
  readonly crypto: Crypto;
  readonly username: string;
  readonly password: string;
  /** `sha256` if absent; ICE agents before RFC 8489 want `sha1`. */
  readonly algorithm?: IntegrityAlgorithm;
}

/** Short-term credentials (RFC 8489 §9.1). */
export function shortTerm({
  crypto,
  username,
  password,
  algorithm = "sha256",
}: ShortTermOptions): Credentials {
  const integrity = { crypto, algorithm, key: shortTermKey(password) };
  return {
    sign(request) {
      const named = withDrafts(request, [USERNAME.of(username)]);
      return {
        bytes: sealMessage(named, integrity, true),
        judge: (response) => (checkIntegrity(response.bytes, integrity) ? "accept" : "forged"),
      };
    },
  };
}

/** The message with more attributes at its end. */
export function withDrafts(message: Message, drafts: Parameters<typeof makeMessage>[3]): Message {
  const more = makeMessage(message.class, message.method, message.transactionId, drafts);
  return { ...message, attributes: [...message.attributes, ...more.attributes] };
}
