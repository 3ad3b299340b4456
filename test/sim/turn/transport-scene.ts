import assert from "node:assert/strict";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import type { Listener } from "../../../src/contract/transport.ts";
import { TurnTransport, type TurnTransportOptions } from "../../../transports/turn/index.ts";
import { home } from "../../kit/network/home.ts";
import type { Host } from "../../kit/network/host.ts";
import type { Segment } from "../../kit/network/segment.ts";
import { Network } from "../../kit/network.ts";
import type { Trace } from "../../kit/trace.ts";
import { MODEL_USER, TurnModel } from "../../kit/turn-model.ts";

export const SERVER = "5.0.0.1";
export const OWN_SERVER = "5.0.3.1";
export const HARD = {
  mapping: "address-and-port-dependent",
  filtering: "address-and-port-dependent",
  ports: "random",
} as const;

/** A listener and a dialler behind NATs that nobody punches, and a TURN server. */
export class TransportScene {
  readonly network: Network;
  readonly internet: Segment;
  readonly server: Host;
  readonly bob: Host;
  readonly alice: Host;
  readonly signaling = new LocalSignaling({ hub: new LocalHub() });
  readonly accepted: Channel[] = [];

  constructor({ seed = 1, loss = 0, trace }: { seed?: number; loss?: number; trace?: Trace } = {}) {
    this.network = new Network({ seed, ...(trace ? { trace } : {}) });
    const link = { latency: 10, jitter: 2, loss };
    const internet = this.network.segment({ name: "internet", hops: 8, link });
    this.internet = internet;
    this.server = this.network.host({ name: "server" });
    this.server.attach(internet, { addresses: [SERVER] });
    const house = (name: string, outer: string): Host =>
      home(this.network, { name, uplink: internet, outer: [outer], nat: HARD }).host;
    this.bob = house("bob", "5.0.1.7");
    this.alice = house("alice", "5.0.2.7");
  }

  model(): Promise<TurnModel> {
    return TurnModel.start(this.server.runtime, SERVER);
  }

  transport(options: Partial<TurnTransportOptions> = {}): TurnTransport {
    return new TurnTransport({
      turnServer: SERVER,
      turnPort: 3478,
      turnUsername: MODEL_USER.username,
      turnPassword: MODEL_USER.password,
      signaling: this.signaling,
      ...options,
    });
  }

  /** `observed`: where the signaling sees diallers. */
  listen(
    transport = this.transport(),
    runtime: Runtime = this.bob.runtime,
    observed?: string,
  ): Promise<Listener> {
    return transport.listen({
      runtime,
      listeningInfo: [],
      exclusive: false,
      onChannel: (channel) => {
        this.accepted.push(channel);
        channel.attach({
          onData: (chunk) => void channel.write(chunk),
          onDrain() {},
          onEnd: () => channel.end(),
          onClose() {},
        });
      },
      onError: (error) => assert.fail(error),
      onDialog: (signaling, transportType, onDialog) =>
        signaling.register({
          transportType,
          onDialog: (dialog) => onDialog(Object.assign(dialog, { observedAddress: observed })),
        }),
    });
  }

  dial(
    listener: Listener,
    transport = this.transport(),
    runtime: Runtime = this.alice.runtime,
  ): Promise<Channel> {
    return transport.dial(listener.endpoints[0]!, {
      runtime,
      signal: new AbortController().signal,
      onPhase() {},
      openDialog: (signaling, address, type) => signaling.open(address, type),
    });
  }

  async pass(ms: number): Promise<void> {
    const { clock } = this.network;
    await new Promise<void>((resolve) => clock.setTimer(clock.now() + ms, resolve));
  }

  /** In virtual time; nothing may be left. */
  async run(body: () => Promise<void>): Promise<void> {
    await this.network.clock.run(body);
    await this.network.clock.advanceAsync(10_000);
    assert.deepEqual([this.network.openSockets(), this.network.clock.armed], [[], 0]);
  }
}
