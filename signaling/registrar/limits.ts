import { rangeError } from "../../src/base/argument.ts";

/** What one registrar lets others do. Rates are per second, and as many at once. */
export interface RegistrarLimits {
  readonly connections: number;
  /** Of one IPv4 address or one IPv6 network of 64 bits. */
  readonly connectionsPerAddress: number;
  readonly connectRatePerAddress: number;
  readonly registerRatePerAddress: number;
  readonly openRatePerAddress: number;
  readonly relaysPerAddress: number;
  /** Relayed channels. */
  readonly relays: number;
  /** The rest is for one connection. */
  readonly registrations: number;
  readonly dialogs: number;
  /** Of those, the ones that a single address may have opened: a stranger cannot take them all. */
  readonly dialogsPerVisitor: number;
  readonly registerRate: number;
  readonly openRate: number;
  readonly signalRate: number;
  /** Messages of any kind; beyond it the connection is cut. */
  readonly messageRate: number;
  /** Characters that wait for a reader; beyond it the dialog that has most of them ends, or the connection. */
  readonly bufferedBytes: number;
  readonly relaysPerConnection: number;
  /** Bytes that one end of a channel may send, and how many of them a second; what is faster waits. */
  readonly relayBytes: number;
  readonly relayRate: number;
  /** Bytes a second on all channels of a connection. */
  readonly relayRatePerConnection: number;
  /** Relayed frames of a connection, which costs it a channel where it is exceeded. */
  readonly relayFrameRate: number;
}

/**
 * Chosen: a host with many servers stays below, and one that floods costs less than a connection's share. Addresses
 * get more, because a carrier's NAT or an office can be behind one.
 */
export const DEFAULT_LIMITS: RegistrarLimits = {
  connections: 20_000,
  connectionsPerAddress: 1_000,
  connectRatePerAddress: 200,
  registerRatePerAddress: 500,
  openRatePerAddress: 1_000,
  relaysPerAddress: 512,
  relays: 4_096,
  registrations: 64,
  dialogs: 1_024,
  dialogsPerVisitor: 128,
  registerRate: 64,
  openRate: 128,
  signalRate: 512,
  messageRate: 1_024,
  bufferedBytes: 1_048_576,
  relaysPerConnection: 256,
  relayBytes: 17_179_869_184,
  relayRate: 12_500_000,
  relayRatePerConnection: 25_000_000,
  relayFrameRate: 65_536,
};

/** The defaults with what is given. @throws ERR_OUT_OF_RANGE for what is no positive integer. */
export function limitsWith(given: Partial<RegistrarLimits> = {}): RegistrarLimits {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof RegistrarLimits)[]) {
    const value = given[name] ?? DEFAULT_LIMITS[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw rangeError(`options.limits.${name}`, "an integer >= 1", value);
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}
