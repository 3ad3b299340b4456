import assert from "node:assert/strict";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Millis } from "../../../src/contract/clock.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { DialContext, Listener } from "../../../src/contract/transport.ts";
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

  static async open(options: NetworkOptions = {}, signalDelay: Millis = ROUND_TRIP / 2): Promise<Internet> {
    const network = new Network(options);
    const segment = network.segment({ name: "internet", hops: 8, link: { latency: LINK } });
    const server = network.host({ name: "stun" });
    server.attach(segment, { addresses: ["5.9.0.1/16", "5.9.0.2/16"] });
    const { bindDatagram } = server.runtime;
    const sockets = [];
    for (const address of ["5.9.0.1", "5.9.0.2"]) {
      for (const port of [3478, 3479]) sockets.push(await bindDatagram!({ address, port }));
    }
    serveStun(sockets, server.runtime);
    const uris = ["stun:5.9.0.1", "stun:5.9.0.2"];
    return new Internet(network, segment, new MeetingPoint(network.clock, signalDelay, uris));
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

  peer(host: Host, observed: string | undefined, options: Partial<UdpPunchTransportOptions> = {}): Peer {
    return new Peer(host, this.point.client(observed), options);
  }
}

/** Somebody who listens or dials on a host. */
export class Peer {
  readonly host: Host;
  readonly signaling: SimulatedSignaling;
  readonly transport: UdpPunchTransport;
  readonly accepted: Channel[] = [];

  constructor(host: Host, signaling: SimulatedSignaling, options: Partial<UdpPunchTransportOptions>) {
    this.host = host;
    this.signaling = signaling;
    this.transport = new UdpPunchTransport({ signaling, ...options });
  }

  listen(): Promise<Listener> {
    return this.transport.listen({
      runtime: this.host.runtime,
      listeningInfo: [],
      exclusive: false,
      onChannel: (channel) => void this.accepted.push(channel),
      onError: (error) => assert.fail(error),
      onDialog: (signaling, transportType, accept) => signaling.register({ transportType, onDialog: accept }),
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
