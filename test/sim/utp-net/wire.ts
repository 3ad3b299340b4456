import { once } from "node:events";
import { type Connection, createServer, type Server, type ServerOptions } from "1tp/utp";
import { DATA, decodePacket, FIN, Packet } from "../../../src/utp/packet.ts";
import type { LinkOptions } from "../../kit/link.ts";
import type { Host } from "../../kit/network/host.ts";
import { Network } from "../../kit/network.ts";
import type { Trace } from "../../kit/trace.ts";

/** A datagram that left a host. */
export interface Sent {
  readonly at: number;
  readonly from: string;
  readonly data: Uint8Array;
  /** Decoded, if it is uTP. */
  readonly packet: Packet | undefined;
}

/** Two hosts on one LAN, and all that they send. */
export class Wire {
  readonly network: Network;
  readonly alice: Host;
  readonly bob: Host;
  readonly sent: Sent[] = [];

  constructor(link: LinkOptions = { latency: 10 }, seed = 1, trace?: Trace) {
    this.network = new Network({ seed, ...(trace ? { trace } : {}) });
    const lan = this.network.segment({ name: "lan" });
    this.alice = this.network.host({ name: "alice" });
    this.bob = this.network.host({ name: "bob" });
    this.alice.attach(lan, { addresses: ["10.0.0.1/24"], link });
    this.bob.attach(lan, { addresses: ["10.0.0.2/24"] });
    this.network.observer = ({ kind, where, packet: { data } }) => {
      if (kind !== "sent") return;
      const packet = new Packet();
      const fault = decodePacket(data, packet);
      this.sent.push({ at: this.now, from: where, data, packet: fault === undefined ? packet : undefined });
    };
  }

  get now(): number {
    return this.network.clock.now();
  }

  /** Runs a task in virtual time; afterwards no socket may be open. */
  async play(task: () => Promise<void>): Promise<void> {
    await this.network.clock.run(task);
    await this.network.clock.advanceAsync(20_000);
    const open = this.network.openSockets();
    if (open.length > 0) throw this.network.failure(`still open: ${open}`);
  }

  /** Packets with payload that a host sent. */
  payloads(from: string): readonly Sent[] {
    return this.sent.filter(
      ({ from: where, packet }) =>
        where === from && packet && packet.payloadLength > 0 && (packet.type === DATA || packet.type === FIN),
    );
  }

  /** From now on nothing comes through. */
  cut(): void {
    const { up, down } = this.alice.plug();
    for (const { link } of [up, down]) link.change({ ...link.options, cut: true });
  }

  /** A server at bob's port 7000, 10.0.0.2. */
  async serve(
    options: ServerOptions = {},
    onConnection: (connection: Connection) => void = () => {},
  ): Promise<Server> {
    const server = createServer({ ...options, runtime: this.bob.runtime }, onConnection);
    await once(server.listen(7000), "listening");
    return server;
  }
}
