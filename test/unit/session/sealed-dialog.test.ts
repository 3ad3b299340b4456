import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextTick } from "#platform";
import { codeOf } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Dialog, DialogSink } from "../../../src/contract/dialog.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Seal } from "../../../src/session/seal.ts";
import { SealedDialog, type SealedDialogOptions } from "../../../src/session/sealed-dialog.ts";

/** One end of a dialog in memory that keeps what it carries. */
class PlainDialog implements Dialog {
  readonly carried: Json[] = [];
  refuse: Error | undefined;
  peer: PlainDialog | undefined;
  closed = false;
  #sink: DialogSink | undefined;

  static pair(): [PlainDialog, PlainDialog] {
    const [a, b] = [new PlainDialog(), new PlainDialog()];
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  async send(body: Json): Promise<void> {
    if (this.refuse) throw this.refuse;
    this.carried.push(body);
    nextTick(() => this.peer?.deliver(body));
  }

  deliver(body: Json): void {
    if (!this.closed) this.#sink?.onSignal(body);
  }

  attach(sink: DialogSink): void {
    this.#sink = sink;
  }

  close(error?: Error): void {
    if (this.closed) return;
    this.closed = true;
    nextTick(() => this.#sink?.onClose(error));
    nextTick(() => this.peer?.close());
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two sealed ends over one dialog. */
class Talk {
  readonly plain = PlainDialog.pair();
  readonly settled: Record<"near" | "far", (Error | undefined)[]> = { near: [], far: [] };
  readonly near: SealedDialog;
  readonly far: SealedDialog;
  readonly client = createIdentity(crypto, seededRandom(1));

  constructor(authorize?: SealedDialogOptions["authorize"]) {
    const random = seededRandom(2);
    const server = createIdentity(crypto, random);
    const opener = Seal.opener("webrtc", {
      crypto,
      random,
      identity: this.client,
      remotePublicKey: server.publicKey,
    });
    const acceptor = Seal.acceptor("webrtc", { crypto, random, identity: server });
    this.far = new SealedDialog(this.plain[1], acceptor, {
      defer: nextTick,
      onSettled: (error) => this.settled.far.push(error),
      authorize,
    });
    this.near = new SealedDialog(
      this.plain[0],
      opener,
      { defer: nextTick, onSettled: (error) => this.settled.near.push(error) },
      opener.firstSignal(),
    );
  }
}

class Notes implements DialogSink {
  readonly heard: Json[] = [];
  readonly closes: (string | undefined)[] = [];

  onSignal(body: Json): void {
    this.heard.push(body);
  }

  onClose(error?: Error): void {
    this.closes.push(error && (codeOf(error) ?? error.message));
  }
}

describe("a SealedDialog", () => {
  it("settles for the opener after the handshake, for the acceptor with the first body", async () => {
    const talk = new Talk();
    await turn();
    assert.deepEqual(talk.settled, { near: [undefined], far: [] });
    await talk.near.send({ offer: 1 });
    await turn();
    assert.deepEqual(talk.settled, { near: [undefined], far: [undefined] });
    assert.equal(talk.far.remotePublicKey, talk.client.publicKey);
  });

  it("keeps bodies that come before attach, in order", async () => {
    const talk = new Talk();
    await turn();
    for (const body of [1, 2, 3]) await talk.near.send(body);
    await turn();
    const notes = new Notes();
    talk.far.attach(notes);
    assert.deepEqual(notes.heard, []);
    await turn();
    await talk.near.send(4);
    await turn();
    assert.deepEqual(notes.heard, [1, 2, 3, 4]);
  });

  it("keeps 64 of them, and closes when there is one more", async () => {
    const talk = new Talk();
    await turn();
    const near = new Notes();
    talk.near.attach(near);
    for (let body = 0; body < 65; body++) await talk.near.send(body);
    await turn();
    const far = new Notes();
    talk.far.attach(far);
    await turn();
    assert.deepEqual(
      [far.heard.length, far.closes, near.closes],
      [64, ["ERR_1TP_SIGNALING_LIMIT"], [undefined]],
    );
  });

  it("tells what the carrying dialog knows of the peer, and relays where that does", async () => {
    const talk = new Talk();
    assert.deepEqual([talk.near.observedAddress, talk.near.relay], [undefined, undefined]);
    const [plain] = PlainDialog.pair();
    const pipe = {} as Channel;
    const carrying = Object.assign(plain, { observedAddress: "192.168.1.2", relay: () => pipe });
    const seal = Seal.acceptor("webrtc", { crypto, random: seededRandom(3), identity: talk.client });
    const sealed = new SealedDialog(carrying, seal, { defer: nextTick, onSettled() {} });
    assert.equal(sealed.observedAddress, "192.168.1.2");
    assert.equal(sealed.relay?.({ transportType: "relay", transportInfo: {} }), pipe);
  });

  it("lets whoever carries it read nothing", async () => {
    const talk = new Talk();
    await turn();
    await talk.near.send({ candidate: "192.168.1.2" });
    assert.ok(!JSON.stringify(talk.plain[0].carried).includes("192.168"));
  });

  it("asks who may come in, and waits for the answer", async () => {
    let answer: ((admitted: boolean) => void) | undefined;
    const asked: string[] = [];
    const talk = new Talk((publicKey, reply) => {
      asked.push(publicKey);
      answer = reply;
    });
    await turn();
    assert.deepEqual([asked, talk.settled.near], [[talk.client.publicKey], []]);
    answer?.(true);
    await turn();
    assert.deepEqual(talk.settled.near, [undefined]);
  });

  it("closes on both sides when the opener is not admitted", async () => {
    const talk = new Talk((_key, answer) => answer(false));
    await turn();
    const codes = [talk.settled.near, talk.settled.far].map((errors) => errors.map(codeOf));
    assert.deepEqual(codes, [["ERR_1TP_PEER_REFUSED"], ["ERR_1TP_PEER_REFUSED"]]);
    assert.ok(talk.plain[0].closed && talk.plain[1].closed);
    await assert.rejects(talk.near.send(1), (error) => codeOf(error) === "ERR_STREAM_DESTROYED");
  });

  it("fails when the first signal is refused", async () => {
    const talk = new Talk();
    await turn();
    const [plain] = PlainDialog.pair();
    plain.refuse = Object.assign(new Error("no such uid"), { code: "ENOENT" });
    const errors: (Error | undefined)[] = [];
    const seal = Seal.opener("webrtc", {
      crypto,
      random: seededRandom(3),
      identity: talk.client,
      remotePublicKey: talk.client.publicKey,
    });
    const options = { defer: nextTick, onSettled: (error?: Error) => errors.push(error) };
    new SealedDialog(plain, seal, options, seal.firstSignal());
    await turn();
    assert.deepEqual(errors.map(codeOf), ["ENOENT"]);
    assert.ok(plain.closed);
  });

  it("is told of a close once, last", async () => {
    const talk = new Talk();
    await turn();
    const [near, far] = [new Notes(), new Notes()];
    talk.near.attach(near);
    await talk.near.send("last");
    talk.far.attach(far);
    await turn();
    talk.near.close();
    talk.near.close();
    await turn();
    assert.deepEqual([near.closes, far.closes, far.heard], [[undefined], [undefined], ["last"]]);
  });

  it("closed before it has settled settles with an error, unless closed by its owner", async () => {
    const talk = new Talk(() => {});
    await turn();
    talk.near.close();
    await turn();
    assert.deepEqual(talk.settled.near, []);
    assert.deepEqual(talk.settled.far.map(codeOf), ["ECONNRESET"]);
  });
});
