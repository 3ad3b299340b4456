import type { Instant, Millis } from "../contract/clock.ts";
import { mayPass, type Outcome, type TurnFailure } from "./failure.ts";

/** Between a failed attempt to keep a lease and the next (chosen: several fit into what is left). */
export const RETRY_AFTER: Millis = 5000;

/** Something a server grants for a while. */
export interface Lease<Subject> {
  readonly subject: Subject;
  /** The server has granted it, and it has not run out. */
  readonly open: boolean;
  /** Datagrams have passed since it was granted or asked for; set by `use`. */
  readonly used: boolean;
}

/** How leases of one kind behave. */
export interface LeaseTerms<Subject> {
  /** How long the server keeps one. */
  readonly lifetime: Millis;
  /** How long it must stay in the table after that. */
  readonly rest: Millis;
  readonly limit: number;
  /** Asks the server; `settle` is called with the outcome. */
  ask(subject: Subject, settle: (outcome: Outcome, now: Instant) => void): void;
  /** What became of a lease that was asked for: once after `add`, and later only if it is gone against our will. */
  tell(subject: Subject, failure: TurnFailure | undefined): void;
}

interface Entry<Subject> extends Lease<Subject> {
  open: boolean;
  used: boolean;
  /** When it runs out; it may never have been granted. */
  until: Instant;
  /** When to look at it; never while the server is asked. */
  due: Instant;
}

/** Of the lifetime, when to ask again: what is left of it is longer than a request takes to fail (39.5 s of 60). */
const REFRESH_AT = 0.8;
const NEVER_GRANTED: Instant = Number.NEGATIVE_INFINITY;

/** Leases by key. Those in use are asked for again in time, those that are not run out. A part of the engine, without verbs. */
export class Leases<Subject> {
  readonly #terms: LeaseTerms<Subject>;
  readonly #entries = new Map<string, Entry<Subject>>();

  constructor(terms: LeaseTerms<Subject>) {
    this.#terms = terms;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Lease<Subject> | undefined {
    return this.#entries.get(key);
  }

  /** Asks for a new one. Undefined if there are too many. */
  add(key: string, subject: Subject, now: Instant): Lease<Subject> | undefined {
    if (this.#entries.size >= this.#terms.limit) return undefined;
    const entry = { subject, open: false, used: true, until: NEVER_GRANTED, due: Number.POSITIVE_INFINITY };
    this.#entries.set(key, entry);
    this.#ask(key, entry, now);
    return entry;
  }

  /** A datagram has passed. True if there is something to do at once. */
  use(lease: Lease<Subject>, now: Instant): boolean {
    const entry = lease as Entry<Subject>;
    if (entry.used) return false;
    entry.used = true;
    const runningOut = entry.due >= entry.until;
    if (runningOut) entry.due = now;
    return runningOut;
  }

  handleTimeout(now: Instant): void {
    for (const [key, entry] of this.#entries) {
      if (entry.due > now) continue;
      entry.open &&= entry.until > now;
      if (entry.used) this.#ask(key, entry, now);
      else if (entry.open) entry.due = entry.until;
      else if (entry.until + this.#terms.rest > now) entry.due = entry.until + this.#terms.rest;
      else this.#entries.delete(key);
    }
  }

  /** When `handleTimeout` has something to do. */
  next(): Instant | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { due } of this.#entries.values()) earliest = Math.min(earliest, due);
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** Forgets all, and tells those who wait. */
  clear(failure: TurnFailure): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) {
      entry.open = false;
      if (entry.until === NEVER_GRANTED) this.#terms.tell(entry.subject, failure);
    }
  }

  #ask(key: string, entry: Entry<Subject>, asked: Instant): void {
    entry.due = Number.POSITIVE_INFINITY;
    this.#terms.ask(entry.subject, ({ failure }, now) => {
      if (this.#entries.get(key) !== entry) return;
      if (failure) this.#refused(key, entry, failure, now);
      else this.#granted(entry, asked, now);
    });
  }

  #granted(entry: Entry<Subject>, asked: Instant, now: Instant): void {
    const { lifetime } = this.#terms;
    const first = entry.until === NEVER_GRANTED;
    // The server counts from a later moment.
    entry.until = asked + lifetime;
    entry.due = Math.max(now, asked + REFRESH_AT * lifetime);
    entry.open = true;
    entry.used = false;
    if (first) this.#terms.tell(entry.subject, undefined);
  }

  #refused(key: string, entry: Entry<Subject>, failure: TurnFailure, now: Instant): void {
    if (mayPass(failure) && entry.until > now + RETRY_AFTER) {
      entry.due = now + RETRY_AFTER;
      return;
    }
    this.#entries.delete(key);
    entry.open = false;
    this.#terms.tell(entry.subject, failure);
  }
}
