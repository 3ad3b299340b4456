import type { Crypto } from "../contract/crypto.ts";
import type { AttributeDraft } from "./attribute.ts";
import { type Credentials, type SignedRequest, type Verdict, withDrafts } from "./credentials.ts";
import { ERROR_CODE, STALE_NONCE, UNAUTHENTICATED } from "./errors.ts";
import { checkIntegrity, type IntegrityKey, sealMessage } from "./integrity.ts";
import type { Message, ReceivedMessage } from "./message.ts";
import {
  decodeAlgorithms,
  longTermKey,
  opaqueString,
  PASSWORD_ALGORITHM,
  PASSWORD_ALGORITHMS,
  type PasswordAlgorithm,
  USERHASH,
  userHash,
} from "./secrets.ts";
import { NONCE, REALM, USERNAME } from "./texts.ts";

/** What a server that knows RFC 8489 puts before its nonces, followed by 24 bits in base64 (§9.2). */
const NONCE_COOKIE = /^obMatJos2([A-Za-z0-9+/]{4})/;

/** The security features (RFC 8489 §18.1), counted from the right as its erratum 6290 and its vector have it. */
const PASSWORD_ALGORITHMS_FEATURE = 1;
const ANONYMITY_FEATURE = 2;

/** Who asks. */
export interface LongTermOptions {
  readonly crypto: Crypto;
  readonly username: string;
  readonly password: string;
}

/** What a server's challenge says about the requests that follow it. */
interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  /** PASSWORD-ALGORITHMS as it came. */
  readonly offer: Uint8Array | undefined;
  readonly algorithm: PasswordAlgorithm;
  readonly anonymous: boolean;
  readonly integrity: IntegrityKey;
}

/**
 * Long-term credentials (RFC 8489 §9.2): the first request goes out bare, the server's challenge gives realm and
 * nonce, and a stale nonce is replaced. One object per server. Never falls back from SHA-256 to MD5.
 */
export class LongTermCredentials implements Credentials {
  readonly #options: LongTermOptions;
  readonly #crypto: Crypto;
  readonly #username: string;
  readonly #password: string;
  #challenge: Challenge | undefined;

  constructor(options: LongTermOptions) {
    this.#options = options;
    this.#crypto = options.crypto;
    this.#username = opaqueString(options.username);
    this.#password = options.password;
  }

  /** The same, which know what these have been told, and learn by themselves from then on. */
  copy(): LongTermCredentials {
    const copy = new LongTermCredentials(this.#options);
    copy.#challenge = this.#challenge;
    return copy;
  }

  /** Of the server, once it has said so. */
  get realm(): string | undefined {
    return this.#challenge?.realm;
  }

  sign(request: Message): SignedRequest {
    const challenge = this.#challenge;
    const signed = challenge ? withDrafts(request, this.#answerTo(challenge)) : request;
    return {
      bytes: sealMessage(signed, challenge?.integrity, true),
      judge: (response) => this.#judge(response, challenge),
    };
  }

  #answerTo({ realm, nonce, offer, algorithm, anonymous }: Challenge): AttributeDraft[] {
    return [
      anonymous ? USERHASH.of(userHash(this.#crypto, this.#username, realm)) : USERNAME.of(this.#username),
      REALM.of(realm),
      NONCE.of(nonce),
      ...(offer ? [PASSWORD_ALGORITHMS.of(offer), PASSWORD_ALGORITHM.of(algorithm)] : []),
    ];
  }

  /** `used` is what the request was signed with. */
  #judge(response: ReceivedMessage, used: Challenge | undefined): Verdict {
    const code = ERROR_CODE.in(response)?.code;
    if (response.class === "error" && (code === UNAUTHENTICATED || code === STALE_NONCE)) {
      const challenge = this.#challengeOf(response, used);
      if (!challenge || !worthRetrying(code, challenge, used)) return "accept";
      this.#challenge = challenge;
      return "retry";
    }
    if (!used) return "accept";
    if (offersLessThanItSays(response)) return "forged";
    const authentic = checkIntegrity(response.bytes, used.integrity);
    if (authentic) return "accept";
    return authentic === undefined && response.class === "error" ? "unproven" : "forged";
  }

  /** Undefined if it lacks something or offers nothing that is known here. */
  #challengeOf(response: Message, used: Challenge | undefined): Challenge | undefined {
    const realm = REALM.in(response) ?? used?.realm;
    const nonce = NONCE.in(response);
    if (realm === undefined || nonce === undefined || offersLessThanItSays(response)) return undefined;
    const offer = PASSWORD_ALGORITHMS.in(response);
    const algorithm = offer ? decodeAlgorithms(offer)?.[0] : "md5";
    if (!algorithm) return undefined;
    const known = this.#challenge;
    const key =
      known && known.realm === realm && known.algorithm === algorithm
        ? known.integrity.key
        : longTermKey(this.#crypto, algorithm, this.#username, realm, this.#password);
    return {
      realm,
      nonce,
      // The challenge outlives the datagram it came in.
      offer: offer && Uint8Array.from(offer),
      algorithm,
      anonymous: (featuresOf(nonce) & ANONYMITY_FEATURE) !== 0,
      integrity: { crypto: this.#crypto, algorithm: offer ? "sha256" : "sha1", key },
    };
  }
}

/** The same name and password would fail again; less protection than before is an attack (RFC 8489 §9.2.5). */
function worthRetrying(code: number, challenge: Challenge, used: Challenge | undefined): boolean {
  if (code === UNAUTHENTICATED && used?.realm === challenge.realm) return false;
  return !(used?.offer && !challenge.offer);
}

/** The nonce says that algorithms are offered, and somebody has taken them away (RFC 8489 §9.2.5). */
function offersLessThanItSays(response: Message): boolean {
  const nonce = NONCE.in(response);
  if (nonce === undefined || (featuresOf(nonce) & PASSWORD_ALGORITHMS_FEATURE) === 0) return false;
  return !PASSWORD_ALGORITHMS.isIn(response);
}

function featuresOf(nonce: string): number {
  const bits = NONCE_COOKIE.exec(nonce)?.[1];
  return bits === undefined ? 0 : atob(bits).charCodeAt(2);
}
