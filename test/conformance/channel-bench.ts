import assert from "node:assert/strict";
import type { Channel } from "../../src/contract/channel.ts";
import { ChannelProbe } from "./channel-probe.ts";

/** Two connected ends, and how to give back what opening them took (the ends are the caller's). */
export interface ChannelPair {
  /** The end that dialled. */
  readonly near: Channel;
  /** The end that was accepted. */
  readonly far: Channel;
  close(): Promise<void>;
}

/** What `testChannel` has to know of an implementation. */
export interface ChannelSetup {
  readonly name: string;
  /** A fresh connected pair; called many times. */
  open(): Promise<ChannelPair>;
  /** Bytes of the largest transfer; default 16 MiB. */
  readonly largest?: number;
  /** Bytes after which a writer whose peer does not read must have been told to wait; default 32 MiB. */
  readonly mostUnread?: number;
  /** One side may end while the other one goes on; default true. */
  readonly halfClose?: boolean;
  /** A peer learns of `abort(error)` as an error with a code; default true. */
  readonly reset?: boolean;
  /** The far end sees another address than the near end has (a relay, a NAT); default false. */
  readonly translated?: boolean;
  /** Awaits a test's work; what runs in virtual time moves its clock meanwhile. */
  run?(work: Promise<void>): Promise<void>;
  /** Of one test, in ms of real time; default 60 s. */
  readonly timeout?: number;
}

/** A test of one channel implementation. */
export type ChannelTest = (fact: string, body: (bench: ChannelBench) => Promise<void>) => void;

/** One end does something, the other one watches. */
export type EachWay = (
  fact: string,
  body: (actor: ChannelProbe, watcher: ChannelProbe, bench: ChannelBench) => Promise<void>,
) => void;

/** Two probes on a pair, for one test. */
export interface ProbePair {
  readonly near: ChannelProbe;
  readonly far: ChannelProbe;
}

/** Everything one test opens, so that it can be closed and judged afterwards. */
export class ChannelBench {
  readonly #open: () => Promise<ChannelPair>;
  readonly #pairs: ChannelPair[] = [];
  readonly #probes: ChannelProbe[] = [];

  constructor(open: () => Promise<ChannelPair>) {
    this.#open = open;
  }

  probe(channel: Channel): ChannelProbe {
    const probe = new ChannelProbe(channel);
    this.#probes.push(probe);
    return probe;
  }

  /** Two ends that nobody is attached to yet. */
  async unattached(): Promise<ProbePair> {
    const pair = await this.#open();
    this.#pairs.push(pair);
    return { near: this.probe(pair.near), far: this.probe(pair.far) };
  }

  async attached(): Promise<ProbePair> {
    const { near, far } = await this.unattached();
    return { near: near.attach(), far: far.attach() };
  }

  /**
   * Lets everything that is under way arrive: several round trips on a pair of its own. The only
   * way to see that something does not happen.
   */
  async fence(): Promise<void> {
    const { near, far } = await this.attached();
    for (let trip = 1; trip <= 8; trip++) {
      near.write("?");
      await far.until("a question", () => far.bytes >= trip);
      far.write("!");
      await near.until("an answer", () => near.bytes >= trip);
    }
    near.abort();
  }

  /** Gives everything back and fails if a channel broke a rule or did not close. */
  async close(): Promise<void> {
    for (const probe of this.#probes) {
      if (!probe.attached) probe.attach();
      probe.abort();
    }
    for (const probe of this.#probes) await probe.until("close", () => probe.closed !== undefined);
    await Promise.all(this.#pairs.map((pair) => pair.close()));
    for (const probe of this.#probes) {
      assert.deepEqual(probe.breaches, []);
      assert.equal(probe.events.filter((event) => event === "close").length, 1);
      assert.equal(probe.events.at(-1), "close");
    }
  }
}

/** Runs a test on a fresh bench. What the test throws comes first, then what the bench finds. */
export async function onBench(
  open: () => Promise<ChannelPair>,
  body: (bench: ChannelBench) => Promise<void>,
): Promise<void> {
  const bench = new ChannelBench(open);
  try {
    await body(bench);
  } catch (error) {
    await bench.close().catch(() => {});
    throw error;
  }
  await bench.close();
}
