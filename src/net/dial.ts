import pAny from "p-any";
import { diagnosticsChannel } from "#platform";
import { type Drive, drive } from "../base/drive.ts";
import { nodeError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { Instant, Millis, Timer } from "../contract/clock.ts";
import type { Dialog } from "../contract/dialog.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Scheduler } from "../contract/scheduler.ts";
import type { Transport } from "../contract/transport.ts";
import { BlackHoles } from "../scheduler/black-holes.ts";
import { Race } from "../scheduler/race.ts";
import { Attempt, type AttemptOwner } from "./attempt.ts";
import { type DialPolicy, peerHostRule } from "./dial-policy.ts";
import { type DialogAttempt, type DialogTarget, openDialog } from "./outgoing-dialog.ts";
import { makePlan } from "./plan.ts";
import { type AttemptReport, dialError, timeoutError } from "./report.ts";
import { DialHandshake, type DialSecurity } from "./security.ts";
import { Turnstile } from "./turnstile.ts";

/** What a dial needs besides the endpoints. */
export interface DialOptions {
  readonly runtime: Runtime;
  readonly transports: readonly Transport[];
  readonly scheduler: Scheduler;
  /** For the whole dial. */
  readonly connectTimeout: Millis;
  readonly dialPolicy: DialPolicy | undefined;
  /** Undefined: plain connections. */
  readonly security: DialSecurity | undefined;
}

/** What works is a matter of the host, and simulated hosts are many. */
const blackHoles = new WeakMap<Runtime, BlackHoles>();
/** So is the time that dials take. */
const turnstiles = new WeakMap<Runtime, Turnstile>();
const attemptChannel = diagnosticsChannel("1tp:attempt");

/** One race over all candidates of a connectionInfo. Runs once. */
export class Dial implements AttemptOwner {
  readonly runtime: Runtime;
  readonly began: Instant;
  readonly mayDial: ((host: string) => boolean) | undefined;
  /** Every attempt, in the order of the plan; kept up to date while the dial runs. */
  readonly report: readonly AttemptReport[];
  readonly #attempts: readonly Attempt[];
  readonly #blackHoles: BlackHoles;
  /** Absent for a single attempt, which has nothing to wait for. */
  readonly #race: Race | undefined;
  readonly #drive: Drive | undefined;
  readonly #connectTimeout: Millis;
  readonly #security: DialSecurity | undefined;
  readonly #dialPolicy: DialPolicy | undefined;
  #winner: Attempt | undefined;
  #timer: Timer | undefined;
  #over: Error | undefined;

  /** @throws OnetpError `ERR_1TP_NO_TRANSPORT` if there is nothing to try. */
  constructor(connectionInfo: ConnectionInfo, options: DialOptions) {
    this.runtime = options.runtime;
    this.began = options.runtime.clock.now();
    this.#connectTimeout = options.connectTimeout;
    this.#security = options.security && strictWithKeys(options.security, connectionInfo);
    this.#dialPolicy = options.dialPolicy;
    this.mayDial = peerHostRule(options.dialPolicy);
    this.#blackHoles = blackHolesOf(options.runtime);
    const plan = makePlan(connectionInfo, options, this.#blackHoles);
    this.#attempts = plan.map(({ candidate }) => new Attempt(candidate, this));
    this.report = this.#attempts.map(({ record }) => record);
    if (plan.length === 1) return;
    this.#race = new Race(plan);
    this.#drive = drive(
      this.#race,
      this.runtime.clock,
      () => undefined,
      ({ index }) => this.#attempts[index]!.begin(),
    );
  }

  /** The transport that won. */
  get transport(): Transport | undefined {
    return this.#winner?.candidate.transport;
  }

  /** Resolves with the first channel to be ready; rejects when no attempt is left, or with the reason of `abort`. */
  async run(): Promise<Channel> {
    if (this.#connectTimeout > 0)
      this.#timer = this.runtime.clock.setTimer(this.began + this.#connectTimeout, () => this.#expire());
    try {
      return await this.#first();
    } catch {
      throw this.#over ?? dialError(this.report);
    } finally {
      this.#stop();
    }
  }

  #first(): Promise<Channel> {
    const promises = this.#attempts.map(({ promise }) => promise);
    const first = this.#race ? pAny(promises) : promises[0]!;
    turnstileOf(this.runtime).pass(() => this.#begin());
    return first;
  }

  /** False: there is nobody to connect any more. */
  #begin(): boolean {
    if (this.#over) return false;
    if (!this.#race) this.#attempts[0]!.begin();
    this.#race?.start(this.runtime.clock.now());
    this.#drive?.wake();
    return true;
  }

  /** Somebody takes the channel: only now does the server see a connection. */
  confirm(): void {
    this.#winner?.confirm();
  }

  /** Gives up: aborts every attempt, `run` rejects with the reason. */
  abort(reason: Error): void {
    this.#over ??= reason;
    this.#stop();
    for (const attempt of this.#attempts) attempt.abort(reason);
  }

  won(winner: Attempt): void {
    this.#winner = winner;
    this.#ended(winner, true);
    if (this.#attempts.length === 1) return;
    const reason = nodeError("ABORT_ERR", "another attempt was first");
    for (const attempt of this.#attempts) if (attempt !== winner) attempt.abort(reason);
  }

  failed(attempt: Attempt): void {
    this.#ended(attempt, false);
    this.#race?.attemptFailed(this.runtime.clock.now());
    this.#drive?.wake();
  }

  beginHandshake(endpoint: Endpoint): DialHandshake | undefined {
    return this.#security && new DialHandshake(this.runtime, this.#security, endpoint);
  }

  openDialog(attempt: DialogAttempt, target: DialogTarget): Promise<Dialog> {
    const [runtime, security, dialPolicy] = [this.runtime, this.#security, this.#dialPolicy];
    return openDialog({ runtime, security, dialPolicy, ...attempt }, target);
  }

  #expire(): void {
    this.#stop();
    for (const attempt of this.#attempts) attempt.expire();
    this.abort(timeoutError(this.report, this.#connectTimeout));
  }

  #ended({ candidate, record }: Attempt, succeeded: boolean): void {
    this.#blackHoles.record(candidate.transport, candidate.endpoint, succeeded);
    if (attemptChannel.hasSubscribers) attemptChannel.publish(record);
  }

  /** No attempt begins any more. */
  #stop(): void {
    this.#timer?.cancel();
    this.#drive?.stop();
  }
}

/** Where any entry names the server's key, one without it was tampered with or is none of that server's. */
function strictWithKeys(security: DialSecurity, connectionInfo: ConnectionInfo): DialSecurity {
  const named = connectionInfo.some(({ publicKey }) => publicKey !== undefined);
  return named ? { ...security, allowUnknownPeer: false } : security;
}

function blackHolesOf(runtime: Runtime): BlackHoles {
  const known = blackHoles.get(runtime) ?? new BlackHoles();
  blackHoles.set(runtime, known);
  return known;
}

function turnstileOf(runtime: Runtime): Turnstile {
  const known = turnstiles.get(runtime) ?? new Turnstile(runtime);
  turnstiles.set(runtime, known);
  return known;
}
