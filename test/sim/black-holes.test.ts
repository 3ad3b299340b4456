import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Socket } from "../../src/net/socket.ts";
import { type Outcome, ScriptedTransport } from "../kit/scripted-transport.ts";
import { simulatedRuntime } from "../kit/simulated-runtime.ts";
import { VirtualClock } from "../kit/virtual-clock.ts";
import { endpointOf } from "./dialling.ts";
import { hang, open, refuse } from "./outcomes.ts";

/** A host that dials `udp`, which is cheap, and `tcp`, which is dear; nothing arrives until told. */
class Host {
  readonly clock = new VirtualClock();
  readonly outcomes: Record<string, Outcome> = { udp: hang, tcp: refuse(1) };
  readonly options = { runtime: simulatedRuntime(this.clock), security: "none" } as const;
  readonly transports = (["udp", "tcp"] as const).map((type) => {
    const options = { type, cost: type === "udp" ? 20 : 90, datagrams: type === "udp" };
    return new ScriptedTransport(this.clock, () => this.outcomes[type]!, options);
  });

  /** Dials these entries one after the other; which transport was tried when, and which won. */
  async dial(...entries: readonly (readonly [type: string, address: string])[]): Promise<string[]> {
    const socket = new Socket(this.transports, { ...this.options, scheduler: "sequential" });
    const info = entries.map(([type, address]) => endpointOf(address, type));
    await this.clock.run(() => socket.connectP(info)).catch(() => {});
    const tried = socket.report.map(({ transport, outcome }) => `${transport} ${outcome}`);
    socket.destroy();
    await this.clock.advanceAsync(0);
    assert.equal(this.clock.armed, 0);
    return tried;
  }

  async fail(count: number, type: string, address: string): Promise<void> {
    for (let i = 0; i < count; i++) await this.dial([type, address]);
  }
}

const UDP = ["udp", "8.8.8.8"] as const;
const TCP = ["tcp", "8.8.8.8"] as const;

describe("a black hole", () => {
  it("of UDP moves UDP behind dearer transports after 100 dials, without leaving it out", async () => {
    const host = new Host();
    await host.fail(99, ...UDP);
    assert.deepEqual(await host.dial(TCP, UDP), ["udp failed", "tcp failed"]);
    assert.deepEqual(await host.dial(TCP, UDP), ["tcp failed", "udp failed"]);
    host.outcomes.tcp = open(1);
    assert.deepEqual(await host.dial(TCP, UDP), ["tcp won", "udp planned"]);
  });

  it("ends with the first success", async () => {
    const host = new Host();
    await host.fail(100, ...UDP);
    host.outcomes.udp = open(1);
    assert.deepEqual(await host.dial(TCP, UDP), ["tcp failed", "udp won"]);
    assert.deepEqual(await host.dial(TCP, UDP), ["udp won", "tcp planned"]);
  });

  it("of IPv6 moves IPv6 behind IPv4, over any transport", async () => {
    const host = new Host();
    const v6 = ["tcp", "2600::1"] as const;
    const v4 = ["tcp", "8.8.8.8"] as const;
    host.outcomes.tcp = hang;
    await host.fail(100, ...v6);
    const socket = new Socket(host.transports, host.options);
    socket.on("error", () => {});
    socket.connect([v6, v4].map(([type, address]) => endpointOf(address, type)));
    assert.deepEqual(
      socket.report.map(({ endpoint, cost }) => [endpoint.transportInfo.address, cost]),
      [
        ["8.8.8.8", 90],
        ["2600::1", 1_090],
      ],
    );
    socket.destroy();
  });

  it("is not learned from losers of a race, nor from dials given up", async () => {
    const host = new Host();
    host.outcomes.tcp = open(1);
    for (let i = 0; i < 100; i++) {
      const socket = new Socket(host.transports, { ...host.options, scheduler: "parallel" });
      await host.clock.run(() =>
        socket.connectP([endpointOf("8.8.8.8", "tcp"), endpointOf("8.8.8.8", "udp")]),
      );
      socket.destroy();
      const given = new Socket(host.transports, host.options);
      given.connect(endpointOf("8.8.8.8", "udp"));
      given.destroy();
      await host.clock.advanceAsync(0);
    }
    assert.deepEqual(await host.dial(TCP, UDP), ["udp failed", "tcp won"]);
  });

  it("is learned from attempts that the end of the whole dial cut off", async () => {
    const host = new Host();
    for (let i = 0; i < 100; i++) {
      const socket = new Socket(host.transports, { ...host.options, connectTimeout: 100 });
      await assert.rejects(
        host.clock.run(() => socket.connectP(endpointOf("8.8.8.8", "udp"))),
        { code: "ETIMEDOUT" },
      );
    }
    assert.deepEqual(await host.dial(TCP, UDP), ["tcp failed", "udp failed"]);
  });

  it("of one host is not that of another in the same process", async () => {
    const [host, other] = [new Host(), new Host()];
    await host.fail(100, ...UDP);
    assert.deepEqual(await host.dial(TCP, UDP), ["tcp failed", "udp failed"]);
    assert.deepEqual(await other.dial(TCP, UDP), ["udp failed", "tcp failed"]);
  });
});
