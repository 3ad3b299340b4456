import assert from "node:assert/strict";
import { crypto } from "#platform";
import { RegistrarLink } from "../../../signaling/websocket/link.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { RegistrarHost, URL_HERE } from "./registrar-host.ts";

interface Guest {
  readonly link: RegistrarLink;
  /** Where it answers everything it is told. */
  readonly uid: string;
}

/**
 * So many clients on one registrar, each with a uid, each talking to its neighbour; the registrar is killed amidst that and
 * started again, and all of them talk once more.
 */
export async function gather(size: number, seed: number): Promise<void> {
  const clock = new VirtualClock();
  const many = size * 4;
  const host = new RegistrarHost(clock, seed, {
    connections: many,
    connectionsPerAddress: many,
    connectRatePerAddress: many,
    registerRatePerAddress: many,
    openRatePerAddress: many,
  });
  await clock.run(async () => {
    const guests = await Promise.all(Array.from({ length: size }, () => arrive(host)));
    const next = (i: number): Guest => guests[(i + 1) % size]!;
    const talk = (guest: Guest, i: number) => converse(guest, next(i), `guest ${i}`);
    assert.deepEqual(await Promise.all(guests.map(talk)), Array(size).fill("echoed"));
    const endings = guests.map(async (guest, i) => {
      const probe = new DialogProbe(await guest.link.open(next(i).uid, "test"));
      return codeOf(await probe.closed());
    });
    await new Promise<void>((resolve) => host.after(resolve));
    host.kill();
    const codes = await Promise.allSettled(endings);
    assert.ok(
      codes.every(
        (end) => codeOf(end.status === "rejected" ? end.reason : { code: end.value }) === "ECONNRESET",
      ),
    );
    host.start();
    await new Promise<void>((resolve) => clock.setTimer(clock.now() + 5_000, resolve));
    assert.equal(host.registrar.gauges().registrations, size);
    assert.deepEqual(await Promise.all(guests.map(talk)), Array(size).fill("echoed"));
    await Promise.all(guests.map(({ link }) => link.close()));
  });
  assert.deepEqual(host.registrar.gauges(), { connections: 0, registrations: 0, dialogs: 0 });
}

async function arrive(host: RegistrarHost): Promise<Guest> {
  const link = new RegistrarLink([URL_HERE], undefined, host.environment());
  const keyPair = crypto.keyPair(host.random.fill(new Uint8Array(32)));
  const salt = host.random.fill(new Uint8Array(16));
  const uid = deriveUid(crypto, keyPair.publicKey, salt);
  await link.enrol({
    uid,
    keyPair,
    salt,
    transportType: "test",
    referenced: true,
    onDialog: (dialog) => echo(dialog),
    onLost: (error) => assert.fail(error),
  });
  return { link, uid };
}

function echo(dialog: Dialog): void {
  dialog.attach({ onSignal: (body) => void dialog.send(body).catch(() => {}), onClose() {} });
}

async function converse(from: Guest, to: Guest, body: string): Promise<string> {
  const probe = new DialogProbe(await from.link.open(to.uid, "test"));
  await probe.dialog.send(body);
  const [answer] = await probe.received(1);
  probe.dialog.close();
  return answer === body ? "echoed" : `heard ${JSON.stringify(answer)} for ${body}`;
}
