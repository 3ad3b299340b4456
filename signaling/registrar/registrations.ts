import { fromBase64Url, toBase64Url } from "../../src/base/bytes.ts";
import { deriveUid } from "../../src/base/uid.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type { Crypto } from "../../src/contract/crypto.ts";
import type { Place } from "../../src/contract/directory.ts";
import type { Random } from "../../src/contract/runtime.ts";
import type { RegistrarLimits } from "./limits.ts";
import type { DirectoryTask, Mailroom } from "./mailroom.ts";
import type { Challenge, Member } from "./member.ts";
import { registrationProof, sameProof } from "./proof.ts";
import type { EnrolMessage, Refusal, RegisterMessage } from "./protocol.ts";

/** How long a challenge can be answered, in ms (DESIGN §9). */
const CHALLENGE_LIFETIME = 10_000;

const UNPROVED: Refusal = { code: "unproved", text: "this connection has proved no key" };

/** What checking proofs takes. */
export interface RegistrationsOptions {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly limits: RegistrarLimits;
  /** Whether a URL's origin is one of this registrar's own. */
  readonly ownsOrigin: (origin: string) => boolean;
}

/** Who may be found under which uid. */
export class Registrations {
  readonly #mailroom: Mailroom;
  readonly #options: RegistrationsOptions;

  constructor(mailroom: Mailroom, options: RegistrationsOptions) {
    this.#mailroom = mailroom;
    this.#options = options;
  }

  challenge(member: Member, request: number, now: Instant): void {
    const refusal = this.#overLimit(member, now);
    if (refusal) {
      this.#refuse(member, request, refusal);
      return;
    }
    const { crypto, random } = this.#options;
    const ephemeral = crypto.keyPair(random.fill(new Uint8Array(32)));
    member.challenges.set(request, { ephemeral, expires: now + CHALLENGE_LIFETIME });
    const text = toBase64Url(ephemeral.publicKey);
    this.#mailroom.send(member, { type: "challenge", request, ephemeral: text });
  }

  register(member: Member, message: RegisterMessage, now: Instant): void {
    const { request, transportType } = message;
    const challenge = member.challenges.get(request);
    member.challenges.delete(request);
    const uid = challenge && this.#prove(message, challenge, now);
    if (uid === undefined || typeof uid === "object") {
      this.#refuse(member, request, uid ?? { code: "unproved", text: "there is no such challenge" });
      return;
    }
    this.#claim(member, uid, transportType, request);
  }

  /** As `register`, without a challenge: the connection has proved the key. */
  enrol(member: Member, { request, salt, transportType }: EnrolMessage, now: Instant): void {
    const { publicKey } = member;
    const refusal = publicKey ? this.#overLimit(member, now) : UNPROVED;
    if (!publicKey || refusal) {
      this.#refuse(member, request, refusal ?? UNPROVED);
      return;
    }
    const uid = deriveUid(this.#options.crypto, publicKey, fromBase64Url(salt)!);
    this.#claim(member, uid, transportType, request);
  }

  #claim(member: Member, uid: string, transportType: string, request: number): void {
    // An eviction may overtake the directory's answer, and has to find it.
    member.uids.set(uid, transportType);
    this.#mailroom.ask({ type: "claim", uid, place: this.#mailroom.placeOf(member), request });
  }

  /** The directory has answered: with where the uid was before, or with an error. */
  claimed(task: DirectoryTask & { type: "claim" }, before: Place | undefined | Error): void {
    const { uid, place, request } = task;
    const member = this.#mailroom.members.get(place.connection);
    if (before instanceof Error) {
      member?.uids.delete(uid);
      if (member) this.#refuse(member, request, { code: "unavailable" });
      return;
    }
    if (before && (before.registrar !== place.registrar || before.connection !== place.connection)) {
      this.#mailroom.post(before.registrar, { type: "evict", to: before.connection, uid });
    }
    if (!member) return;
    if (!member.uids.has(uid)) {
      this.#refuse(member, request, { code: "unproved", text: "the uid was given up or registered anew" });
      return;
    }
    this.#mailroom.counters.registered++;
    this.#mailroom.send(member, { type: "registered", request, uid });
  }

  unregister(member: Member, uid: string): void {
    if (member.uids.delete(uid)) this.#release(member, uid);
  }

  /** A newer registration has the uid. */
  evict(member: Member, uid: string): void {
    if (member.uids.delete(uid)) this.#mailroom.send(member, { type: "replaced", uid });
  }

  /** The member is gone. */
  leave(member: Member): void {
    for (const uid of member.uids.keys()) this.#release(member, uid);
    member.uids.clear();
  }

  #release(member: Member, uid: string): void {
    this.#mailroom.ask({ type: "release", uid, place: this.#mailroom.placeOf(member) });
  }

  #overLimit(member: Member, now: Instant): Refusal | undefined {
    const { registrations, registerRate, registerRatePerAddress } = this.#options.limits;
    for (const [request, { expires }] of member.challenges) {
      if (expires <= now) member.challenges.delete(request);
    }
    if (member.uids.size + member.challenges.size >= registrations) {
      return { code: "too-many", text: `at most ${registrations} registrations per connection` };
    }
    if (!member.registers.take(now)) {
      return { code: "too-fast", text: `at most ${registerRate} registrations a second per connection` };
    }
    if (!member.account.registers.take(now)) {
      return {
        code: "too-fast",
        text: `at most ${registerRatePerAddress} registrations a second per address`,
      };
    }
    return undefined;
  }

  /** The uid that the message proves, or what is wrong with it. */
  #prove(message: RegisterMessage, challenge: Challenge, now: Instant): string | Refusal {
    const { origin } = message;
    if (challenge.expires <= now) return { code: "unproved", text: "the challenge has expired" };
    if (!this.#options.ownsOrigin(origin)) {
      const text = `this registrar does not go by ${origin.slice(0, 120)}: its operator can say so with \`urls\``;
      return { code: "unproved", text };
    }
    const { crypto } = this.#options;
    const publicKey = fromBase64Url(message.publicKey)!;
    const uid = deriveUid(crypto, publicKey, fromBase64Url(message.salt)!);
    const expected = registrationProof(crypto, challenge.ephemeral, publicKey, {
      origin,
      ephemeral: challenge.ephemeral.publicKey,
      nonce: fromBase64Url(message.nonce)!,
      uid,
    });
    if (expected && sameProof(expected, fromBase64Url(message.proof)!)) return uid;
    return { code: "unproved", text: "the proof is wrong" };
  }

  #refuse(member: Member, request: number, refusal: Refusal): void {
    this.#mailroom.refused(refusal.code);
    this.#mailroom.send(member, { type: "refused", request, ...refusal });
  }
}
