import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { crypto } from "#platform";
import { codeOf } from "../../src/base/errors.ts";
import { deriveUid } from "../../src/base/uid.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
} from "../../src/contract/dialog.ts";
import type { Json, JsonObject } from "../../src/contract/endpoint.ts";
import { assertNothingLeft } from "../kit/leaks.ts";
import { DialogProbe } from "./dialog-probe.ts";

/** What `testSignaling` has to know of an implementation. */
export interface SignalingSetup {
  readonly name: string;
  /** Makes what the signalings of one test share, and gives it back. Each `create` is another endpoint. */
  start(): Promise<{ create(): Signaling; stop(): Promise<void> }>;
  /** How many dialogs at once; default 100. */
  readonly dialogs?: number;
}

/** What one test has. */
interface Bench {
  create(): Signaling;
  /** Registers with a signaling of its own, for transport `test`. */
  serve(options?: Partial<RegisterOptions>, signaling?: Signaling): Promise<Served>;
}

interface Served {
  readonly signaling: Signaling;
  readonly registration: Registration;
  readonly address: SignalingAddress;
  readonly accepted: Dialog[];
  nextAccepted(): Promise<Dialog>;
}

type SignalingTest = (fact: string, body: (bench: Bench) => Promise<void>) => void;

/** Every rule of `contract/dialog.ts`. */
export function testSignaling(setup: SignalingSetup): void {
  const check: SignalingTest = (fact, body) => {
    test(fact, { timeout: 30_000 }, () => assertNothingLeft(() => withBench(setup, body)));
  };
  describe(`signaling ${setup.name}`, () => {
    testRegistering(check);
    testOpening(check, setup.dialogs ?? 100);
    testSignals(check);
    testClosing(check);
  });
}

async function withBench(setup: SignalingSetup, body: (bench: Bench) => Promise<void>): Promise<void> {
  const ground = await setup.start();
  const signalings: Signaling[] = [];
  const create = (): Signaling => {
    const signaling = ground.create();
    signalings.push(signaling);
    return signaling;
  };
  try {
    await body({ create, serve: (options, signaling = create()) => serve(signaling, options) });
  } finally {
    await Promise.all(signalings.map((signaling) => signaling.close()));
    await ground.stop();
  }
}

async function serve(signaling: Signaling, options: Partial<RegisterOptions> = {}): Promise<Served> {
  const accepted: Dialog[] = [];
  const waiting: ((dialog: Dialog) => void)[] = [];
  let asked = 0;
  const registration = await signaling.register({
    transportType: "test",
    onDialog(dialog) {
      accepted.push(dialog);
      waiting.shift()?.(dialog);
    },
    ...options,
  });
  const nextAccepted = (): Promise<Dialog> => {
    const dialog = accepted[asked++];
    return dialog ? Promise.resolve(dialog) : new Promise((resolve) => waiting.push(resolve));
  };
  return { signaling, registration, address: registration.address, accepted, nextAccepted };
}

/** Both ends of a fresh dialog. */
async function converse(bench: Bench): Promise<[DialogProbe, DialogProbe]> {
  const served = await bench.serve();
  const near = await bench.create().open(served.address, "test");
  return [new DialogProbe(near), new DialogProbe(await served.nextAccepted())];
}

function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.equal(codeOf(error), code, String(error));
    return true;
  });
}

function testRegistering(check: SignalingTest): void {
  const keyPair = crypto.keyPair(new Uint8Array(32).fill(7));
  const salt = new Uint8Array(16).fill(9);

  check("an address is plain JSON that every signaling of its kind accepts", async ({ create, serve }) => {
    const { address } = await serve();
    assert.match(address.type, /^[a-z]+-signaling$/);
    assert.match(address.uid, /^[0-9a-f]{32}$/);
    assert.deepEqual(JSON.parse(JSON.stringify(address)), address);
    assert.equal(create().accepts(address), true);
  });

  check("what is no address of its kind is not accepted, and refused when opened", async (bench) => {
    const { address } = await bench.serve();
    const signaling = bench.create();
    const wrong: unknown[] = [
      null,
      undefined,
      17,
      "uid",
      [],
      {},
      { uid: address.uid },
      { ...address, type: "other-signaling" },
      { ...address, uid: 17 },
      { ...address, uid: "" },
      { ...address, uid: `${address.uid}00` },
      { ...address, uid: "../../../../../../../../etc/pass" },
    ];
    for (const info of wrong as JsonObject[]) {
      assert.equal(signaling.accepts(info), false, JSON.stringify(info));
      await rejectsWith("ERR_1TP_BAD_ADDRESS", signaling.open(info as SignalingAddress, "test"));
    }
  });

  check("every registration has a uid of its own", async ({ create, serve }) => {
    const signaling = create();
    const served = await Promise.all(Array.from({ length: 10 }, () => serve({}, signaling)));
    assert.equal(new Set(served.map(({ address }) => address.uid)).size, 10);
  });

  check("the uid is that of key and salt", async ({ serve }) => {
    const { address } = await serve({ keyPair, salt });
    assert.equal(address.uid, deriveUid(crypto, keyPair.publicKey, salt));
  });

  check("a salt that is none is refused", async ({ create }) => {
    const options = { transportType: "test", onDialog() {}, salt: new Uint8Array(15) };
    await rejectsWith("ERR_INVALID_ARG_TYPE", create().register(options));
  });

  check("a newer registration of a uid takes its place and tells the older", async (bench) => {
    const losses: Error[] = [];
    const older = await bench.serve({ keyPair, salt, onClose: (error) => losses.push(error) });
    const before = new DialogProbe(await bench.create().open(older.address, "test"));
    const kept = new DialogProbe(await older.nextAccepted());
    const newer = await bench.serve({ keyPair, salt });
    assert.deepEqual(newer.address, older.address);
    const after = await bench.create().open(older.address, "test");
    await newer.nextAccepted();
    assert.equal(older.accepted.length, 1);
    while (losses.length === 0) await setImmediate();
    assert.equal(codeOf(losses[0]), "ERR_1TP_SIGNALING_REFUSED");
    await before.dialog.send("dialogs live on");
    assert.deepEqual(await kept.received(1), ["dialogs live on"]);
    older.registration.close();
    await after.send("the older's close does no harm");
    await bench.create().open(newer.address, "test");
    assert.equal(losses.length, 1);
  });
}

function testOpening(check: SignalingTest, dialogs: number): void {
  check("a uid under which nobody is registered is refused", async ({ create, serve }) => {
    const { address } = await serve();
    const nobody = { ...address, uid: "0123456789abcdef0123456789abcdef" };
    await rejectsWith("ERR_1TP_PEER_OFFLINE", create().open(nobody, "test"));
  });

  check("a dialog for another transport is refused", async ({ create, serve }) => {
    const { address, accepted } = await serve();
    await rejectsWith("ERR_1TP_PEER_OFFLINE", create().open(address, "other"));
    assert.equal(accepted.length, 0);
  });

  check("a closed registration is refused, its dialogs live on", async ({ create, serve }) => {
    const served = await serve();
    const near = new DialogProbe(await create().open(served.address, "test"));
    const far = new DialogProbe(await served.nextAccepted());
    served.registration.close();
    served.registration.close();
    // On another connection the close may arrive after the open: whoever asks later is refused.
    let refusal: unknown;
    while (!refusal) {
      const late = await create()
        .open(served.address, "test")
        .catch((error: unknown) => {
          refusal = error;
        });
      late?.close();
    }
    assert.equal(codeOf(refusal), "ERR_1TP_PEER_OFFLINE");
    await near.dialog.send(1);
    assert.deepEqual(await far.received(1), [1]);
  });

  check("an abort before or during open rejects with its reason", async ({ create, serve }) => {
    const { address } = await serve();
    const reason = new Error("enough");
    const signaling = create();
    const isReason = (error: unknown): boolean => error === reason;
    await assert.rejects(signaling.open(address, "test", AbortSignal.abort(reason)), isReason);
    const controller = new AbortController();
    const opening = signaling.open(address, "test", controller.signal);
    controller.abort(reason);
    await assert.rejects(opening, isReason);
  });

  check("one signaling registers and opens, also to itself", async ({ create, serve }) => {
    const signaling = create();
    const served = await serve({}, signaling);
    const near = new DialogProbe(await signaling.open(served.address, "test"));
    const far = new DialogProbe(await served.nextAccepted());
    await near.dialog.send("there");
    await far.dialog.send("back");
    assert.deepEqual([await near.received(1), await far.received(1)], [["back"], ["there"]]);
  });

  check("many dialogs at once do not mix", async ({ create, serve }) => {
    const served = await serve({
      onDialog(dialog) {
        dialog.attach({ onSignal: (body) => void dialog.send({ echo: body }), onClose() {} });
      },
    });
    const signaling = create();
    const answers = Array.from({ length: dialogs }, async (_, i) => {
      const probe = new DialogProbe(await signaling.open(served.address, "test"));
      await probe.dialog.send(i);
      const [answer] = await probe.received(1);
      probe.dialog.close();
      return answer;
    });
    assert.deepEqual(
      await Promise.all(answers),
      Array.from({ length: dialogs }, (_, i) => ({ echo: i })),
    );
  });
}

function testSignals(check: SignalingTest): void {
  check("signals arrive unchanged, in order and once, both ways", async (bench) => {
    const [near, far] = await converse(bench);
    const bodies: Json[] = [null, true, -1.5, "ü\n\u2028💡\u0000", [], {}, { a: [{ b: null }] }, "\n\n"];
    const many = [...bodies, ...Array.from({ length: 50 }, (_, i) => ({ i }))];
    for (const body of many) {
      await near.dialog.send(body);
      await far.dialog.send(body);
    }
    await near.dialog.send("last");
    await far.dialog.send("last");
    assert.deepEqual(await far.received(many.length + 1), [...many, "last"]);
    assert.deepEqual(await near.received(many.length + 1), [...many, "last"]);
  });

  check("what was sent before attach waits for it, its end too", async (bench) => {
    const served = await bench.serve();
    const near = await bench.create().open(served.address, "test");
    for (let i = 0; i < 20; i++) await near.send(i);
    near.close();
    const dialog = await served.nextAccepted();
    await setImmediate();
    const far = new DialogProbe(dialog);
    assert.equal(far.signals.length + far.closes.length, 0, "no sink is called inside attach");
    assert.equal(await far.closed(), undefined);
    assert.deepEqual(
      far.signals,
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  check("a peer whose signals nobody reads loses the dialog", async (bench) => {
    const served = await bench.serve();
    const near = new DialogProbe(await bench.create().open(served.address, "test"));
    for (let i = 0; i < 65; i++) await near.dialog.send(i);
    assert.equal(codeOf(await near.closed()), "ERR_1TP_SIGNALING_LIMIT");
    const far = new DialogProbe(await served.nextAccepted());
    assert.equal(codeOf(await far.closed()), "ERR_1TP_SIGNALING_LIMIT");
    assert.equal(far.signals.length, 64);
  });

  check("a body of 16 KiB passes, a longer one is refused by its bytes", async (bench) => {
    const [near, far] = await converse(bench);
    for (const letter of ["a", "ü", "💡"]) {
      const longest = letter.repeat((16_384 - 2) / Buffer.byteLength(letter));
      await near.dialog.send(longest);
      await rejectsWith("ERR_OUT_OF_RANGE", near.dialog.send(`${longest}aaaa`));
      assert.equal((await far.received(far.signals.length + 1)).at(-1), longest);
    }
  });

  check("what is no JSON is refused and the dialog goes on", async (bench) => {
    const [near, far] = await converse(bench);
    await rejectsWith("ERR_INVALID_ARG_TYPE", near.dialog.send(undefined as unknown as Json));
    await near.dialog.send(1);
    assert.deepEqual(await far.received(1), [1]);
  });
}

function testClosing(check: SignalingTest): void {
  check("a close ends both sides once, after what was sent", async (bench) => {
    const [near, far] = await converse(bench);
    await near.dialog.send("before");
    near.dialog.close();
    near.dialog.close();
    assert.deepEqual([await near.closed(), await far.closed()], [undefined, undefined]);
    assert.deepEqual(far.signals, ["before"]);
    far.dialog.close();
    await rejectsWith("ERR_STREAM_DESTROYED", near.dialog.send(1));
    await rejectsWith("ERR_STREAM_DESTROYED", far.dialog.send(1));
    await setImmediate();
    assert.deepEqual([near.closes.length, far.closes.length], [1, 1]);
  });

  check("closing the signaling ends its registrations and dialogs, of others none", async (bench) => {
    const served = await bench.serve();
    const other = await bench.serve();
    const client = bench.create();
    const near = new DialogProbe(await client.open(served.address, "test"));
    const far = new DialogProbe(await served.nextAccepted());
    const elsewhere = new DialogProbe(await client.open(other.address, "test"));
    await served.signaling.close();
    await Promise.all([near.closed(), far.closed()]);
    await rejectsWith("ERR_1TP_PEER_OFFLINE", client.open(served.address, "test"));
    await elsewhere.dialog.send(1);
    assert.deepEqual(await new DialogProbe(await other.nextAccepted()).received(1), [1]);
    const late: RegisterOptions = { transportType: "test", onDialog() {} };
    await rejectsWith("ERR_STREAM_DESTROYED", served.signaling.register(late));
    await rejectsWith("ERR_STREAM_DESTROYED", served.signaling.open(other.address, "test"));
    await served.signaling.close();
  });
}
