import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { ChannelSink } from "../../../src/contract/channel.ts";
import { Couple, client, server } from "./couple.ts";

/** Notes what a session brings. */
class Notes implements ChannelSink {
  readonly events: string[] = [];
  text = "";
  error: Error | undefined;

  onData(chunk: Uint8Array): void {
    this.text += new TextDecoder().decode(chunk);
  }

  onDrain(): void {
    this.events.push("drain");
  }

  onEnd(): void {
    this.events.push("end");
  }

  onClose(error?: Error): void {
    this.events.push("close");
    this.error = error;
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a Session", () => {
  it("settles for the dialler at once and for the server when confirmed", async () => {
    const couple = new Couple();
    await couple.settle();
    assert.deepEqual(couple.settled, { near: [undefined], far: [] });
    couple.near.confirm();
    await couple.settle();
    assert.deepEqual(couple.settled, { near: [undefined], far: [undefined] });
    assert.equal(couple.near.remotePublicKey, server.publicKey);
    assert.equal(couple.far.remotePublicKey, client.publicKey);
  });

  it("that has lost goes without a word, and the server's is given up", async () => {
    const couple = new Couple();
    await couple.settle();
    const said = couple.nearChannel.calls.length;
    couple.near.abort();
    await couple.settle();
    assert.deepEqual(couple.nearChannel.calls.slice(said), ["abort"]);
    assert.equal(couple.settled.far.length, 1);
    assert.ok(couple.settled.far[0] instanceof Error);
    assert.equal(couple.clock.armed, 0);
  });

  it("is not settled after it was aborted", async () => {
    const couple = new Couple();
    couple.near.abort();
    couple.far.abort(new Error("enough"));
    await couple.settle();
    assert.deepEqual(couple.settled, { near: [], far: [] });
  });

  for (const named of [true, false]) {
    it(`refuses who is not admitted, and says so (${named ? "IK" : "XX"})`, async () => {
      const asked: string[] = [];
      const couple = new Couple({
        named,
        authorize: (publicKey, answer) => {
          asked.push(publicKey);
          answer(false);
        },
      });
      const notes = new Notes();
      couple.near.attach(notes);
      await couple.settle();
      assert.deepEqual(asked, [client.publicKey]);
      assert.deepEqual(couple.settled.far.map(codeOf), ["ERR_1TP_PEER_REFUSED"]);
      assert.equal(codeOf(notes.error), "ERR_1TP_PEER_REFUSED");
      assert.deepEqual(notes.events, ["close"]);
      assert.equal(couple.clock.armed, 0);
    });
  }

  it("lets nothing in while it is not known whether to admit", async () => {
    let admit: ((admitted: boolean) => void) | undefined;
    const couple = new Couple({
      authorize: (_key, answer) => {
        admit = answer;
      },
    });
    await couple.settle();
    assert.deepEqual(couple.farChannel.calls, ["pause"]);
    admit?.(true);
    admit?.(false);
    await couple.settle();
    assert.deepEqual(couple.farChannel.calls, ["pause", "resume", "write"]);
    couple.near.confirm();
    await couple.settle();
    assert.deepEqual(couple.settled, { near: [undefined], far: [undefined] });
  });

  it("never pauses its channel", async () => {
    const { near, far, farChannel, clock } = await new Couple().open();
    const notes = new Notes();
    far.attach(notes);
    far.pause();
    near.write(bytes("unread"));
    await clock.advanceAsync(0);
    far.resume();
    await clock.advanceAsync(0);
    assert.equal(notes.text, "unread");
    assert.ok(!farChannel.calls.includes("pause"));
  });

  it("puts the writes of one turn into one record", async () => {
    const couple = await new Couple().open();
    const notes = new Notes();
    couple.far.attach(notes);
    for (const word of ["a", "b", "c"]) couple.near.write(bytes(word));
    assert.deepEqual(couple.nearChannel.calls, []);
    await couple.settle();
    assert.deepEqual(couple.nearChannel.calls, ["write"]);
    assert.equal(notes.text, "abc");
  });

  it("says flushed when the channel has room again", async () => {
    const couple = await new Couple({ highWaterMark: 10 }).open();
    let flushed = 0;
    couple.farChannel.pause();
    couple.near.write(bytes("a little"));
    couple.near.end(() => flushed++);
    await couple.settle();
    assert.equal(flushed, 0);
    couple.farChannel.resume();
    await couple.settle();
    assert.equal(flushed, 1);
  });

  it("says flushed when the channel closes on a peer that has gone in good order", async () => {
    const couple = await new Couple().open();
    const notes = new Notes();
    couple.near.attach(notes);
    couple.far.abort();
    await couple.settle();
    assert.deepEqual(notes.events, ["end"]);
    let flushed = 0;
    couple.near.end(() => flushed++);
    await couple.settle();
    assert.deepEqual([flushed, notes.events, notes.error], [1, ["end", "close"], undefined]);
  });

  it("closes by itself when both sides have ended", async () => {
    const couple = await new Couple().open();
    const [near, far] = [new Notes(), new Notes()];
    couple.near.attach(near);
    couple.far.attach(far);
    couple.near.end();
    couple.far.end();
    await couple.settle();
    assert.deepEqual(
      [near.events, far.events],
      [
        ["end", "close"],
        ["end", "close"],
      ],
    );
    assert.deepEqual([near.error, far.error], [undefined, undefined]);
    assert.equal(couple.clock.armed, 0);
  });

  it("closes with the reset of its channel, also when paused", async () => {
    const couple = await new Couple().open();
    const notes = new Notes();
    couple.far.attach(notes);
    couple.far.pause();
    couple.nearChannel.abort(new Error("cable cut"));
    await couple.settle();
    assert.equal(codeOf(notes.error), "ECONNRESET");
  });

  it("takes an end of its channel alone for a loss", async () => {
    const couple = await new Couple().open();
    const notes = new Notes();
    couple.far.attach(notes);
    couple.nearChannel.end();
    await couple.settle();
    assert.deepEqual([notes.events, codeOf(notes.error)], [["close"], "ECONNRESET"]);
  });

  it("passes on what concerns the channel, and counts for itself", async () => {
    const couple = await new Couple().open();
    const { near, nearChannel } = couple;
    near.unref();
    near.ref();
    near.set("noDelay", true);
    near.set("keepAlive", 5000);
    assert.deepEqual(nearChannel.calls, ["unref", "ref", "noDelay=true", "keepAlive=5000"]);
    assert.deepEqual([near.remote, near.local], [nearChannel.remote, nearChannel.local]);
    near.write(bytes("12345"));
    couple.far.attach(new Notes());
    await couple.settle();
    const { bytesWritten, bytesRead, retransmits } = near.stats();
    assert.deepEqual([bytesWritten, bytesRead, retransmits], [5, 0, 3]);
    assert.equal(couple.far.stats().bytesRead, 5);
  });

  it("lets the process go while unref'd", async () => {
    const couple = await new Couple().open();
    assert.equal(couple.clock.referenced, 2);
    couple.near.unref();
    assert.equal(couple.clock.referenced, 1);
    couple.near.ref();
    assert.equal(couple.clock.referenced, 2);
  });

  it("ends with ETIMEDOUT when the peer falls silent", async () => {
    const couple = await new Couple().open();
    const notes = new Notes();
    couple.far.attach(notes);
    couple.farChannel.pause();
    await couple.clock.advanceAsync(60_001);
    assert.equal(codeOf(notes.error), "ETIMEDOUT");
  });
});
