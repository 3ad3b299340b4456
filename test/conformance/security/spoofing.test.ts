import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionInfo, createConnection, createServer, UdpTransport } from "1tp";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { Network } from "../../kit/network.ts";
import { connections } from "./scene.ts";
import { Witness } from "./witness.ts";

/** Addresses that a liar claims to have. */
const VICTIMS = 10_000;

/** Bytes of UDP payload that have passed between the server and one address. */
interface Account {
  received: number;
  sent: number;
}

/** A server, an honest client and a liar on one internet. */
function stage() {
  const network = new Network();
  const internet = network.segment({ name: "internet", hops: 8, link: { latency: 10 } });
  const [server, client, liar] = ["server", "client", "liar"].map((name, i) => {
    const host = network.host({ name });
    host.attach(internet, { addresses: [`5.0.0.${i + 1}`] });
    return host;
  });
  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => network.clock.setTimer(network.clock.now() + ms, resolve));
  return { network, internet, pass, server: server!, client: client!, liar: liar! };
}

/** Has words echoed by the server. */
async function visit(info: ConnectionInfo, runtime: Runtime, words: string): Promise<void> {
  const guest = new Witness(createConnection(info, [new UdpTransport()], { runtime }));
  guest.socket.end(words);
  await guest.gone();
  assert.equal(guest.heard, words);
}

/** How the liar changes the SYN of the honest client. */
const LIES: Readonly<Record<string, (syn: Uint8Array) => Uint8Array>> = {
  "a genuine first flight": (syn) => syn,
  "a first flight made for nobody": (syn) => syn.map((byte, at) => (at > 60 && at < 150 ? byte ^ 1 : byte)),
  "a first flight without its padding": (syn) => syn.subarray(0, 200),
};

for (const [what, lie] of Object.entries(LIES)) {
  test(`to ${VICTIMS} spoofed addresses with ${what} a server never sends more than came from each`, async () => {
    const { network, internet, pass, server, client, liar } = stage();
    const accounts = new Map<string, Account>();
    let syn: Uint8Array | undefined;
    let worst = Number.NEGATIVE_INFINITY;
    network.observer = ({ kind, where, packet }) => {
      if (where === "client" && kind === "sent") syn ??= packet.data;
      if (where !== "server" || kind === "dropped") return;
      const { address } = kind === "sent" ? packet.target : packet.source;
      if (!address.startsWith("6.")) return;
      const account = accounts.get(address) ?? { sent: 0, received: 0 };
      accounts.set(address, account);
      account[kind] += packet.data.length;
      worst = Math.max(worst, account.sent - account.received);
    };
    const listening = createServer([new UdpTransport()], { runtime: server.runtime }, (socket) =>
      socket.pipe(socket),
    );
    await network.clock.run(async () => {
      const info = await listening.listenP();
      await visit(info, client.runtime, "before");
      const target = info[0]!.transportInfo as { address: string; port: number };
      for (let i = 0; i < VICTIMS; i++) {
        const data = Uint8Array.from(lie(syn!));
        new DataView(data.buffer).setUint16(2, i);
        const source = { address: `6.0.${i >> 8}.${i & 255}`, port: 1000 + i };
        internet.carry({ source, target, data, ttl: 64 }, liar.plug());
        if (i % 50 === 49) await pass(10);
      }
      await visit(info, client.runtime, "in between");
      await pass(120_000);
      await visit(info, client.runtime, "afterwards");
      await pass(60_000);
      assert.equal(await connections(listening), 0);
      listening.close();
    });
    assert.equal(accounts.size, VICTIMS);
    assert.ok([...accounts.values()].some(({ sent }) => sent > 0));
    assert.ok(worst <= 0, `${worst} bytes too many`);
  });
}
