import assert from "node:assert/strict";
import { channel as diagnosticsChannel } from "node:diagnostics_channel";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Millis } from "../../../src/contract/clock.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { DialContext, ListenContext, Listener } from "../../../src/contract/transport.ts";
import { serveStun } from "../../../src/host/stun-port.ts";
import { UdpPunchTransport, type UdpPunchTransportOptions } from "../../../transports/udp-punch/index.ts";
import { type Home, type HomeOptions, home } from "../../kit/network/home.ts";
import type { Host } from "../../kit/network/host.ts";
import type { NatOptions } from "../../kit/network/nat.ts";
import type { Segment } from "../../kit/network/segment.ts";
import { Network, type NetworkOptions } from "../../kit/network.ts";
import { MeetingPoint, type SimulatedSignaling } from "./meeting-point.ts";

/** Ms of each access link: 40 ms from home to home and back. */
const LINK: Millis = 10;
export const ROUND_TRIP: Millis = 4 * LINK;

/** Every home has a NAT that maps to random ports and filters by address and port, unless it says otherwise. */
export const EASY: NatOptions = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
};
export const HARD: NatOptions = { ...EASY, mapping: "address-and-port-dependent" };

/** An internet with a STUN server that has two addresses, and a meeting point. */
export class Internet {
  readonly network: Network;
  readonly segment: Segment;
  readonly point: MeetingPoint;

  private constructor(network: Network, segment: Segment, point: MeetingPoint) {
    this.network = network;
    this.segment = segment;
    this.point = point;
  }

  /** `plain`: each STUN server is one that knows of no other. */
  static async open(
    options: NetworkOptions = {},
    signalDelay: Millis = ROUND_TRIP / 2,
    { plain = false } = {},
  ): Promise<Internet> {
    const network = new Network(options);
    const segment = network.segment({ name: "internet", hops: 8, link: { latency: LINK } });
    const server = network.host({ name: "stun" });
    server.attach(segment, { addresses: ["5.9.0.1/16", "5.9.0.2/16"] });
    const sockets = [];
    for (const address of ["5.9.0.1", "5.9.0.2"]) {
      for (const port of [3478, 3479]) sockets.push(await server.runtime.bindDatagram!({ address, port }));
    }
    if (plain) for (const socket of sockets) serveStun([socket], server.runtime);
    else serveStun(sockets, server.runtime);
    return new Internet(
      network,
      segment,
      new MeetingPoint(network.clock, signalDelay, ["stun:5.9.0.1", "stun:5.9.0.2"]),
    );
  }

  /** A home whose router has that NAT. */
  home(name: string, outer: string, nat?: NatOptions, more: Partial<HomeOptions> = {}): Home {
    return home(this.network, { name, uplink: this.segment, outer: [outer], ...(nat && { nat }), ...more });
  }

  /** A host with an address of its own. */
  publicHost(name: string, address: string): Host {
    const host = this.network.host({ name });
    host.attach(this.segment, { addresses: [address] });
    return host;
  }

  /** Somebody on that host, whom the meeting point sees at that IP. */
  peer(host: Host, observed: string | undefined, options: Partial<UdpPunchTransportOptions> = {}): Peer {
    return new Peer(host, this.point.client(observed), options);
  }

  /** Lets time pass. */
  pass(ms: Millis): Promise<void> {
    const { clock } = this.network;
    return new Promise((resolve) => clock.setTimer(clock.now() + ms, resolve));
  }
}

/** Somebody who listens or dials on a host. */
export class Peer {
  readonly host: Host;
  readonly signaling: SimulatedSignaling;
  readonly transport: UdpPunchTransport;
  readonly accepted: Channel[] = [];
  /** Dialogs somebody has opened to us, before the transport gets them. */
  dialogs = 0;

  constructor(host: Host, signaling: SimulatedSignaling, options: Partial<UdpPunchTransportOptions>) {
    this.host = host;
    this.signaling = signaling;
    this.transport = new UdpPunchTransport({ signaling, ...options });
  }

  listen(context: Partial<ListenContext> = {}): Promise<Listener> {
    return this.transport.listen({
      runtime: this.host.runtime,
      listeningInfo: [],
      exclusive: false,
      onChannel: (channel) => void this.accepted.push(channel),
      onError: (error) => assert.fail(error),
      onDialog: (signaling, transportType, accept) =>
        signaling.register({
          transportType,
          onDialog: (dialog) => {
            this.dialogs++;
            accept(dialog);
          },
        }),
      ...context,
    });
  }

  dial(endpoint: Endpoint, context: Partial<DialContext> = {}): Promise<Channel> {
    return this.transport.dial(endpoint, {
      runtime: this.host.runtime,
      signal: new AbortController().signal,
      onPhase() {},
      openDialog: (signaling, address, type) => signaling.open(address, type),
      ...context,
    });
  }
}

/** How a dial came out. */
export interface Outcome {
  /** Ms from dial to connect; undefined if it failed. */
  readonly took: Millis | undefined;
  /** Why it failed. */
  readonly error: Error | undefined;
  /** What the two sides' punches say: the tricks that won and how many datagrams each sent. */
  readonly stories: readonly PunchStory[];
}

/** What is published of a punch that is over. */
export interface PunchStory {
  readonly outcome: string;
  readonly trick?: string;
  readonly sent: ReadonlyMap<string, number>;
  readonly drops: ReadonlyMap<string, number>;
}

/** `server` listens for a while, then `client` dials, says a word and hears it back. Both are closed in the end. */
export async function meet(internet: Internet, server: Peer, client: Peer): Promise<Outcome> {
  const stories: PunchStory[] = [];
  const note = (story: unknown): void => void stories.push(story as PunchStory);
  const published = diagnosticsChannel("1tp:punch");
  published.subscribe(note);
  try {
    return await internet.network.clock.run(async () => {
      const listener = await server.listen();
      await internet.pass(500);
      const began = internet.network.clock.now();
      let outcome: Outcome;
      try {
        const channel = await client.dial(listener.endpoints[0]!);
        const took = internet.network.clock.now() - began;
        await echo(internet, channel, server);
        outcome = { took, error: undefined, stories };
      } catch (error) {
        outcome = { took: undefined, error: error as Error, stories };
      }
      await listener.close();
      await internet.pass(30_000);
      const left = internet.network.openSockets().filter((socket) => !socket.startsWith("stun "));
      assert.deepEqual(left, []);
      return outcome;
    }, 120_000);
  } finally {
    published.unsubscribe(note);
  }
}

/** Says a word to the side that accepted, which has to come back; then both close. */
async function echo(internet: Internet, channel: Channel, server: Peer): Promise<void> {
  const near = listenTo(channel);
  channel.write(Uint8Array.of(1, 2, 3));
  await internet.pass(5 * ROUND_TRIP);
  assert.equal(server.accepted.length, 1, "one channel was accepted");
  const [accepted] = server.accepted;
  const far = listenTo(accepted!, (chunk) => accepted!.write(chunk));
  await internet.pass(5 * ROUND_TRIP);
  assert.deepEqual([far.bytes, near.bytes], [3, 3]);
  channel.end();
  accepted!.end();
  await internet.pass(10 * ROUND_TRIP);
  assert.deepEqual([near.closed, far.closed], [true, true]);
}

/** What a channel has brought. */
export interface Heard {
  bytes: number;
  closed: boolean;
  error: Error | undefined;
}

export function listenTo(channel: Channel, onData: (chunk: Uint8Array) => void = () => {}): Heard {
  const heard: Heard = { bytes: 0, closed: false, error: undefined };
  channel.attach({
    onData(chunk) {
      heard.bytes += chunk.length;
      onData(chunk);
    },
    onDrain() {},
    onEnd() {},
    onClose(error) {
      heard.closed = true;
      heard.error = error;
    },
  });
  return heard;
}
