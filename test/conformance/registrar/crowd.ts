import assert from "node:assert/strict";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import type { SignalingAddress } from "../../../src/contract/dialog.ts";
import { Program } from "../../unit/cli/command.ts";
import { DialogProbe } from "../dialog-probe.ts";

/** Chosen: what a registrar's listen queue and its greeting time-out take without trouble. */
const AT_A_TIME = 50;

interface Guest {
  readonly signaling: WebSocketSignaling;
  readonly address: SignalingAddress;
}

/** So many clients, each on a WebSocket of its own, at a registrar of its own process; each talks to its neighbour. */
export async function gather(size: number): Promise<void> {
  const names = ["connections", "connectionsPerAddress", "connectRatePerAddress", "registerRatePerAddress"];
  const limits = [...names, "openRatePerAddress"].flatMap((name) => ["--limit", `${name}=${size * 4}`]);
  const registrar = Program.command("registrar", "--host", "127.0.0.1", ...limits);
  const guests: Guest[] = [];
  try {
    const [, url = ""] = await registrar.prints(/^url (ws:\S+)$/m);
    await inTurns(size, async () => {
      guests.push(await arrive(url));
    });
    const metrics = async (): Promise<string> =>
      (await fetch(`${url.replace("ws", "http")}/metrics`, { headers: { connection: "close" } })).text();
    assert.match(await metrics(), new RegExp(`^onetp_registrar_registrations ${size}$`, "m"));
    await inTurns(size, (i) => converse(guests[i]!, guests[(i + 1) % size]!, `guest ${i}`));
    assert.match(await metrics(), new RegExp(`^onetp_registrar_signals_total ${size * 2}$`, "m"));
    await Promise.all(guests.map(({ signaling }) => signaling.close()));
    registrar.kill("SIGTERM");
    assert.equal(await registrar.exit, 0);
  } finally {
    registrar.kill("SIGKILL");
  }
}

async function inTurns(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

async function arrive(url: string): Promise<Guest> {
  const signaling = new WebSocketSignaling({ url });
  const { address } = await signaling.register({
    transportType: "test",
    onDialog: (dialog) => dialog.attach({ onSignal: (body) => void dialog.send(body), onClose() {} }),
  });
  return { signaling, address };
}

async function converse(from: Guest, to: Guest, body: string): Promise<void> {
  const probe = new DialogProbe(await from.signaling.open(to.address, "test"));
  await probe.dialog.send(body);
  assert.deepEqual(await probe.received(1), [body]);
  probe.dialog.close();
}
