import { runtime as platformRuntime } from "#platform";
import { checkMillis, checkOptional, checkSignal, typeError, valueError } from "../base/argument.ts";
import type { ChannelOptions } from "../contract/channel.ts";
import type { Millis } from "../contract/clock.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Scheduler } from "../contract/scheduler.ts";
import type { Transport } from "../contract/transport.ts";
import { ParallelScheduler, SequentialScheduler, StaggeredScheduler } from "../scheduler/schedulers.ts";
import type { Identity } from "../session/identity.ts";
import { defaultTransports } from "./default-transports.ts";
import { checkDialPolicy, type DialPolicy } from "./dial-policy.ts";
import {
  type Authorize,
  type DialSecurity,
  type PeerOptions,
  peerCheck,
  type SecurityOptions,
  sessionIdentity,
} from "./security.ts";

/** What a Socket and the sockets of a Server have in common; as in `node:net` where it has them. */
export interface CommonOptions extends SecurityOptions {
  /** Keep our side open after the peer has ended its side. Default false. */
  readonly allowHalfOpen?: boolean;
  /** Bytes each direction may buffer before it pushes back. Default: that of Node's streams. */
  readonly highWaterMark?: number;
  /** Send small writes at once where the transport would wait. Default: the transport's. */
  readonly noDelay?: boolean;
  /** Probe an idle connection. Default: the transport's. */
  readonly keepAlive?: boolean;
  /** Ms of idleness before the first probe. */
  readonly keepAliveInitialDelay?: Millis;
  /** Which addresses may be dialled, or sent to because a peer names them in a dialog. Default: all. */
  readonly dialPolicy?: DialPolicy;
  /** Where clock, randomness and sockets come from; for simulations. */
  readonly runtime?: Runtime;
}

/** Options of `new Socket` and `createConnection`. */
export interface SocketOptions extends CommonOptions {
  /** How the candidates are tried. Default `'staggered'`. */
  readonly scheduler?: "staggered" | "sequential" | "parallel" | Scheduler;
  /** The earlier library's flag: true is `scheduler: 'parallel'`. */
  readonly parallelConnectionSetup?: boolean;
  /** Ms for the whole dial; 0: no limit. Default 60,000. */
  readonly connectTimeout?: Millis;
  /** Ms of idleness after which `'timeout'` is emitted, as `setTimeout`. */
  readonly timeout?: Millis;
  /** Destroys the socket when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Talk to whoever answers where an entry carries no public key; who it was is in `remotePublicKey`. Default
   * false: such an entry is refused.
   */
  readonly allowUnknownPeer?: boolean;
}

/** Options of `new Server` and `createServer`. */
export interface ServerOptions extends CommonOptions, PeerOptions {
  /** Give out connections paused, to be resumed by whoever takes them over. */
  readonly pauseOnConnect?: boolean;
  /** Fail rather than listen elsewhere than the listeningInfo says. Default false. */
  readonly exclusive?: boolean;
  /** Let clients open dialogs with each other (`signaling.introducer`), and answer STUN on UDP ports. Default false. */
  readonly introduce?: boolean;
  /** With `introduce`: carry the bytes of clients that nothing else connects (transport `relay`). Default false. */
  readonly relay?: boolean;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/** SocketOptions with everything decided. */
export interface SocketSettings {
  readonly scheduler: Scheduler;
  readonly connectTimeout: Millis;
  readonly dialPolicy: DialPolicy | undefined;
  readonly runtime: Runtime;
  /** Undefined: plain connections. */
  readonly security: DialSecurity | undefined;
}

/** ServerOptions with everything decided. */
export interface ServerSettings {
  readonly runtime: Runtime;
  readonly dialPolicy: DialPolicy | undefined;
  /** Undefined: plain connections. */
  readonly security: { readonly identity: Identity; readonly authorize: Authorize | undefined } | undefined;
  readonly introduce: boolean;
  readonly relay: boolean;
}

/** DESIGN: whole dial, 60 s. */
const CONNECT_TIMEOUT: Millis = 60_000;

const SCHEDULERS = {
  staggered: new StaggeredScheduler(),
  sequential: new SequentialScheduler(),
  parallel: new ParallelScheduler(),
};

/** @throws ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE; without an argument, the runtime's preset. */
export function checkTransports(transports: unknown): readonly Transport[] {
  if (transports === undefined || transports === null) return defaultTransports();
  if (!Array.isArray(transports)) throw typeError("transports", "an array of transports", transports);
  if (transports.length === 0) throw valueError("transports", "must hold at least one transport", transports);
  for (const [i, transport] of transports.entries()) {
    if (!isTransport(transport)) {
      throw typeError(`transports[${i}]`, "a transport, such as new TcpTransport()", transport);
    }
  }
  return [...transports];
}

function isTransport(value: unknown): value is Transport {
  if (typeof value !== "object" || value === null) return false;
  const { type, accepts, dial, traits, connectTimeout } = value as Partial<Transport>;
  return (
    typeof type === "string" &&
    typeof accepts === "function" &&
    typeof dial === "function" &&
    typeof traits?.cost === "number" &&
    typeof connectTimeout === "number"
  );
}

/** @throws if a value has the wrong type. */
function checkCommonOptions(options: unknown): asserts options is CommonOptions {
  if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
  const given = options as CommonOptions;
  for (const name of ["allowHalfOpen", "noDelay", "keepAlive"] as const) {
    checkOptional(`options.${name}`, given[name], "boolean");
  }
  checkHighWaterMark(given.highWaterMark);
  checkDialPolicy(given.dialPolicy);
  checkOptional("options.runtime", given.runtime, "object");
  if (given.keepAliveInitialDelay !== undefined) {
    checkMillis("options.keepAliveInitialDelay", given.keepAliveInitialDelay);
  }
}

/** As Node's streams check it. */
function checkHighWaterMark(mark: unknown): void {
  checkOptional("options.highWaterMark", mark, "number");
  if (mark === undefined || (Number.isInteger(mark) && (mark as number) >= 0)) return;
  throw valueError("options.highWaterMark", "must be a whole number of bytes, 0 or more", mark);
}

/** Checks a Socket's options and decides what was left open. */
export function socketSettings(options: SocketOptions): SocketSettings {
  checkCommonOptions(options);
  checkOptional("options.parallelConnectionSetup", options.parallelConnectionSetup, "boolean");
  const { connectTimeout = CONNECT_TIMEOUT, dialPolicy, runtime = platformRuntime } = options;
  checkMillis("options.connectTimeout", connectTimeout);
  if (options.timeout !== undefined) checkMillis("options.timeout", options.timeout);
  return {
    scheduler: findScheduler(options),
    connectTimeout,
    dialPolicy,
    runtime,
    security: dialSecurity(options, runtime),
  };
}

function dialSecurity(options: SocketOptions, runtime: Runtime): DialSecurity | undefined {
  const { allowUnknownPeer = false } = options;
  checkOptional("options.allowUnknownPeer", allowUnknownPeer, "boolean");
  const identity = sessionIdentity(options, runtime);
  return identity && { identity, allowUnknownPeer };
}

function findScheduler({ scheduler, parallelConnectionSetup }: SocketOptions): Scheduler {
  if (scheduler === undefined) return parallelConnectionSetup ? SCHEDULERS.parallel : SCHEDULERS.staggered;
  if (typeof scheduler === "string") {
    if (Object.hasOwn(SCHEDULERS, scheduler)) return SCHEDULERS[scheduler];
    const names = Object.keys(SCHEDULERS).join("', '");
    throw valueError("options.scheduler", `must be '${names}' or an object with plan()`, scheduler);
  }
  if (typeof scheduler?.plan === "function") return scheduler;
  throw typeError("options.scheduler", "a scheduler's name or an object with plan()", scheduler);
}

/** Checks a Server's options and decides what was left open. */
export function serverSettings(options: ServerOptions): ServerSettings {
  checkCommonOptions(options);
  checkOptional("options.pauseOnConnect", options.pauseOnConnect, "boolean");
  checkOptional("options.exclusive", options.exclusive, "boolean");
  checkSignal(options.signal);
  const { runtime = platformRuntime, dialPolicy, introduce = false, relay = false } = options;
  checkOptional("options.introduce", introduce, "boolean");
  checkOptional("options.relay", relay, "boolean");
  if (relay && !introduce) throw valueError("options.relay", "needs introduce: true", relay);
  const authorize = peerCheck(options);
  const identity = sessionIdentity(options, runtime);
  if (introduce && !identity) {
    throw valueError(
      "options.introduce",
      "needs security 'noise': without it nobody proves a key",
      introduce,
    );
  }
  return { runtime, dialPolicy, introduce, relay, security: identity && { identity, authorize } };
}

/** The stream options of a socket's two halves. */
export function streamOptions({ allowHalfOpen, highWaterMark }: CommonOptions): object {
  return {
    allowHalfOpen: allowHalfOpen ?? false,
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
  };
}

/** The channel options chosen so far, for a channel that comes later. */
export type ChosenOptions = Partial<ChannelOptions>;

/** The channel options among a socket's options, if any. */
export function channelOptions(options: CommonOptions): ChosenOptions | undefined {
  const { noDelay, keepAlive, keepAliveInitialDelay = 0 } = options;
  if (noDelay === undefined && keepAlive === undefined) return undefined;
  return {
    ...(noDelay === undefined ? {} : { noDelay }),
    ...(keepAlive === undefined ? {} : { keepAlive: keepAlive ? keepAliveInitialDelay : false }),
  };
}
