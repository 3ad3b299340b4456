import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { PortMapper } from "../../../src/host/port-mapper.ts";
import type { Host } from "../../kit/network/host.ts";
import { Network } from "../../kit/network.ts";
import { mapped, OUTER, PORT } from "../nat/gateway/scene.ts";

/** A host on a LAN whose gateway speaks PCP, and what that is asked for. */
class Lan {
  readonly network = new Network();
  readonly host: Host;
  /** What the host takes for its gateways. */
  gateways: readonly string[] = ["192.168.1.1"];
  /** Seconds that were asked for, and by whom. */
  readonly asked: { readonly lifetime: number; readonly from: string }[] = [];
  readonly heard: SocketAddress[] = [];
  readonly mapper: PortMapper;

  constructor() {
    const segment = this.network.segment({ name: "lan" });
    this.host = this.network.host({ name: "host" });
    this.host.attach(segment, { addresses: ["192.168.1.2/24", "192.168.7.2/24", "5.0.0.2/24"] });
    const gateway = this.network.host({ name: "gateway", privileged: true });
    gateway.attach(segment, { addresses: ["192.168.1.1/24", "192.168.7.1/24", "5.0.0.1/24"] });
    for (const address of ["192.168.1.1", "192.168.7.1", "5.0.0.1"]) void this.#serve(gateway, address);
    const runtime: Runtime = { ...this.host.runtime, gateways: async () => this.gateways };
    this.mapper = new PortMapper(PORT, runtime, (outer) => this.heard.push(outer));
  }

  async #serve({ runtime }: Host, address: string): Promise<void> {
    const socket: DatagramSocket = await runtime.bindDatagram!({ address, port: 5351 });
    socket.attach({
      onDatagram: (data, remote) => {
        const lifetime = new DataView(data.buffer, data.byteOffset).getUint32(4);
        this.asked.push({ lifetime, from: remote.address });
        socket.send(mapped({ nonce: data.slice(24, 36), lifetime }), remote);
      },
    });
  }

  /** Lets a second pass. */
  second(): Promise<void> {
    const { clock } = this.network;
    return clock.run(() => new Promise<void>((resolve) => clock.setTimer(clock.now() + 1000, resolve)));
  }
}

const LEASE = 1200;

describe("a port mapper", () => {
  test("holds one mapping until it is closed, and leaves no socket", async () => {
    const lan = new Lan();
    await lan.mapper.refresh();
    await lan.second();
    await lan.mapper.refresh();
    await lan.second();
    assert.deepEqual([lan.heard, lan.mapper.outer], [[OUTER], OUTER]);
    assert.equal(lan.host.openSockets.length, 1);
    await lan.network.clock.run(() => lan.mapper.close());
    assert.deepEqual([lan.mapper.outer, lan.host.openSockets], [undefined, []]);
    assert.deepEqual(lan.asked, [
      { lifetime: LEASE, from: "192.168.1.2" },
      { lifetime: 0, from: "192.168.1.2" },
    ]);
  });

  test("goes to the gateway of another network, and ends what the former one holds", async () => {
    const lan = new Lan();
    await lan.mapper.refresh();
    await lan.second();
    lan.gateways = ["192.168.7.1"];
    await lan.mapper.refresh();
    await lan.second();
    assert.deepEqual(lan.asked, [
      { lifetime: LEASE, from: "192.168.1.2" },
      { lifetime: 0, from: "192.168.1.2" },
      { lifetime: LEASE, from: "192.168.7.2" },
    ]);
    await lan.network.clock.run(() => lan.mapper.close());
    assert.deepEqual(lan.host.openSockets, []);
  });

  test("asks no gateway that is public, in no network of ours, ourselves, no address, or unknown", async () => {
    const lan = new Lan();
    for (const gateways of [["5.0.0.1"], ["10.0.0.1", "192.168.1.1"], ["192.168.1.2"], ["x"], []]) {
      lan.gateways = gateways;
      await lan.mapper.refresh();
      await lan.second();
      assert.deepEqual([lan.asked, lan.host.openSockets], [[], []], gateways.join());
    }
    await lan.mapper.close();
  });

  test("that is closed while it looks opens nothing any more", async () => {
    const lan = new Lan();
    const looking = lan.mapper.refresh();
    await lan.mapper.close();
    await looking;
    await lan.mapper.refresh();
    await lan.second();
    assert.deepEqual([lan.asked, lan.host.openSockets], [[], []]);
  });

  test("without a runtime that tells gateways or has UDP does nothing", async () => {
    const { runtime } = new Lan().host;
    const { bindDatagram: _, ...without } = runtime;
    for (const poor of [runtime, { ...without, gateways: async () => ["192.168.1.1"] }]) {
      const mapper = new PortMapper(PORT, poor, () => assert.fail("nothing is mapped"));
      await mapper.refresh();
      await mapper.close();
    }
  });
});
