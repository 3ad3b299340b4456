import assert from "node:assert/strict";
import { runtime as platform } from "#platform";
import type { Channel } from "../../src/contract/channel.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { DialContext, ListenContext, Listener, Transport } from "../../src/contract/transport.ts";
import type { ChannelSetup } from "./channel-bench.ts";
import { ChannelProbe } from "./channel-probe.ts";

/** What `testTransport` has to know of an implementation; the rest are defaults for a plain one. */
export interface TransportSetup extends Omit<ChannelSetup, "open"> {
  /** A fresh instance. */
  create(): Transport;
  /** Gives back what an instance took besides channels and listeners; default nothing. */
  dispose?(transport: Transport): Promise<void>;
  /** Where it runs; default the platform's. */
  readonly runtime?: Runtime;
  /** What every listen is told; default nothing. */
  readonly listeningInfo?: readonly Endpoint[];
  /** What signaled transports need besides. */
  readonly dialContext?: Partial<DialContext>;
  readonly listenContext?: Partial<ListenContext>;
  /** Where nobody listens, and the code a dial then rejects with; default: a closed listener, ECONNREFUSED. */
  refused?(): Promise<{ endpoint: Endpoint; code: string }>;
  /** How many dials at once; default 50. */
  readonly dials?: number;
  /** Whether a listener can be had again at the same place, and only once at a time; default true. */
  readonly fixedEndpoints?: boolean;
  /** A module and its exported class, for a process that has to exit; default: no such test. */
  readonly program?: { readonly module: string; readonly name: string };
}

/** One transport that listens for one test, with everything that was accepted. */
export interface Station {
  readonly transport: Transport;
  readonly listener: Listener;
  readonly accepted: Channel[];
  /** Resolves with the next channel that nobody has asked for. */
  nextAccepted(): Promise<Channel>;
  dial(signal?: AbortSignal, endpoint?: Endpoint): Promise<Channel>;
  close(): Promise<void>;
}

/** A test of one transport implementation. */
export type TransportTest = (fact: string, body: () => Promise<void>) => void;

/** A fresh transport that listens. */
export async function listen(
  setup: TransportSetup,
  context: Partial<ListenContext> = {},
  transport = setup.create(),
): Promise<Station> {
  const accepted: Channel[] = [];
  const waiting: ((channel: Channel) => void)[] = [];
  let asked = 0;
  const listener = await transport.listen!({
    ...listenContext(setup),
    onChannel(channel) {
      accepted.push(channel);
      waiting.shift()?.(channel);
    },
    ...context,
  });
  return {
    transport,
    listener,
    accepted,
    nextAccepted() {
      const channel = accepted[asked++];
      return channel ? Promise.resolve(channel) : new Promise((resolve) => waiting.push(resolve));
    },
    dial(signal = new AbortController().signal, endpoint = listener.endpoints[0]!) {
      return transport.dial(endpoint, dialContext(setup, signal));
    },
    async close() {
      await listener.close();
      await setup.dispose?.(transport);
    },
  };
}

export function listenContext(setup: TransportSetup): ListenContext {
  return {
    runtime: setup.runtime ?? platform,
    listeningInfo: setup.listeningInfo ?? [],
    exclusive: false,
    onChannel: (channel) => channel.abort(),
    onError: (error) => assert.fail(error),
    ...setup.listenContext,
  };
}

export function dialContext(setup: TransportSetup, signal: AbortSignal): DialContext {
  return { runtime: setup.runtime ?? platform, signal, onPhase() {}, ...setup.dialContext };
}

/** Sends back whatever comes, and ends when the peer has. */
export function echo(channel: Channel): void {
  channel.attach({
    onData: (chunk) => void channel.write(chunk),
    onDrain() {},
    onEnd: () => channel.end(),
    onClose() {},
  });
}

/** Has an echoing peer repeat a word, then closes in good order. */
export async function converse(channel: Channel, word = "ping"): Promise<void> {
  const probe = new ChannelProbe(channel).attach();
  probe.write(word);
  await probe.until("the word", () => probe.received().toString() === word);
  probe.end();
  await probe.until("close", () => probe.closed !== undefined);
  assert.deepEqual(probe.breaches, []);
  assert.equal(probe.closed?.error, undefined);
}
