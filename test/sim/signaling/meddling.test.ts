import assert from "node:assert/strict";
import { test } from "node:test";
import { crypto, nextTick } from "#platform";
import { RegistrarLink } from "../../../signaling/websocket/link.ts";
import type { SeededRandom } from "../../../src/base/random.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import type { Json, JsonObject } from "../../../src/contract/endpoint.ts";
import { createIdentity, type Identity } from "../../../src/session/identity.ts";
import { Seal } from "../../../src/session/seal.ts";
import { SealedDialog } from "../../../src/session/sealed-dialog.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { RegistrarHost, URL_HERE } from "./registrar-host.ts";

const BODIES = 30;

/** A registrar that loses, repeats, swaps, alters and makes up what it carries, once dialogs are established. */
function meddler(random: SeededRandom): (frame: string) => readonly string[] {
  const bodies: string[] = [];
  return (frame) => {
    const [head, body] = frame.split("\n");
    if (body === undefined || !body.startsWith('{"n"')) return [frame];
    bodies.push(body);
    const other = `${head}\n${bodies[random.integer(bodies.length)]}`;
    const at = random.integer(body.length);
    const altered = `${head}\n${body.slice(0, at)}${"A9-_}"[random.integer(5)]}${body.slice(at + 1)}`;
    const forged = `${head}\n{"n":${random.integer(40)},"c":"${"A".repeat(30)}"}`;
    const choices = [
      [frame],
      [frame],
      [frame],
      [],
      [frame, frame],
      [other, frame],
      [altered],
      [forged, frame],
    ];
    return choices[random.integer(choices.length)]!;
  };
}

/** What one side of a sealed dialog was told. */
interface Ear {
  readonly publicKey: string | undefined;
  readonly heard: Json[];
}

function listenTo(sealed: SealedDialog): Ear {
  const heard: Json[] = [];
  sealed.attach({ onSignal: (body) => heard.push(body), onClose() {} });
  return { publicKey: sealed.remotePublicKey, heard };
}

async function serve(host: RegistrarHost, identity: Identity, ears: Ear[]): Promise<string> {
  const { random } = host;
  const salt = random.fill(new Uint8Array(16));
  await new RegistrarLink([URL_HERE], undefined, host.environment()).enrol({
    uid: deriveUid(crypto, identity.keyPair.publicKey, salt),
    keyPair: identity.keyPair,
    salt,
    transportType: "test",
    referenced: true,
    onDialog(dialog) {
      const seal = Seal.acceptor("test", { crypto, random, identity });
      const onSettled = (error?: Error): void => {
        if (error) return;
        ears.push(listenTo(sealed));
        void talk(sealed, identity.publicKey);
      };
      const sealed = new SealedDialog(dialog, seal, { defer: nextTick, onSettled });
    },
    onLost: (error) => assert.fail(error),
  });
  return deriveUid(crypto, identity.keyPair.publicKey, salt);
}

async function dial(host: RegistrarHost, uid: string, identity: Identity, server: string): Promise<Ear> {
  const { random } = host;
  const dialog: Dialog = await new RegistrarLink([URL_HERE], undefined, host.environment()).open(uid, "test");
  const seal = Seal.opener("test", { crypto, random, identity, remotePublicKey: server });
  const sealed = await new Promise<SealedDialog>((resolve, reject) => {
    const onSettled = (error?: Error): void => (error ? reject(error) : resolve(opened));
    const opened = new SealedDialog(dialog, seal, { defer: nextTick, onSettled }, seal.firstSignal());
  });
  void talk(sealed, identity.publicKey);
  return listenTo(sealed);
}

async function talk(sealed: SealedDialog, from: string): Promise<void> {
  for (let i = 0; i < BODIES; i++) await sealed.send({ from, i });
}

function checkHeard({ publicKey, heard }: Ear): void {
  let last = -1;
  for (const body of heard as readonly JsonObject[]) {
    assert.equal(body.from, publicKey, "what is heard comes from whom it seems to come");
    assert.ok((body.i as number) > last, "in order, and once");
    last = body.i as number;
  }
}

test("a registrar that loses, repeats, swaps, alters and forges signals can at most lose them", () =>
  forEachSeed(20, async (seed) => {
    const clock = new VirtualClock();
    const host = new RegistrarHost(clock, seed);
    host.meddle = meddler(host.random);
    const [server, ...clients] = Array.from({ length: 4 }, () => createIdentity(crypto, host.random));
    const accepted: Ear[] = [];
    const ears = await clock.run(async () => {
      const uid = await serve(host, server!, accepted);
      return Promise.all(clients.map((identity) => dial(host, uid, identity, server!.publicKey)));
    });
    await clock.advanceAsync(5_000);
    assert.deepEqual(new Set(ears.map(({ publicKey }) => publicKey)), new Set([server!.publicKey]));
    for (const ear of [...ears, ...accepted]) checkHeard(ear);
    const total = [...ears, ...accepted].reduce((sum, { heard }) => sum + heard.length, 0);
    assert.ok(total > BODIES, `${total} bodies were heard`);
    host.kill();
  }));
