import assert from "node:assert/strict";
import { codeOf } from "../../src/base/errors.ts";
import type { ChannelSetup, ChannelTest, EachWay } from "./channel-bench.ts";
import type { ChannelProbe } from "./channel-probe.ts";

/** How channels end, close and abort. Part of `testChannel`. */
export function testChannelClosing(check: ChannelTest, eachWay: EachWay, setup: ChannelSetup): void {
  if (setup.halfClose ?? true) testHalfClose(eachWay);
  testEnd(eachWay);
  testAbort(check, eachWay, setup.reset ?? true);
  testAfterwards(eachWay);
}

async function closed(probe: ChannelProbe): Promise<Error | undefined> {
  await probe.until("close", () => probe.closed !== undefined);
  return probe.closed?.error;
}

function testHalfClose(eachWay: EachWay): void {
  eachWay("both ends may end at once", async (actor, watcher) => {
    actor.write("a");
    watcher.write("b");
    actor.end();
    watcher.end();
    assert.deepEqual(await Promise.all([closed(actor), closed(watcher)]), [undefined, undefined]);
    assert.equal(actor.received().toString() + watcher.received().toString(), "ba");
  });

  eachWay("one end may end while the other one goes on", async (actor, watcher) => {
    actor.write("last words");
    actor.end();
    await watcher.until("end", () => watcher.ended);
    assert.equal(watcher.received().toString(), "last words");
    const size = 1 << 20;
    await watcher.send(new Uint8Array(size).fill(7));
    await actor.until("everything", () => actor.bytes === size);
    assert.equal(actor.closed, undefined);
    watcher.end();
    assert.deepEqual(await Promise.all([closed(actor), closed(watcher)]), [undefined, undefined]);
    assert.equal(actor.ended, true);
  });

  for (const words of ["", "unread"]) {
    const what = words ? "data and an end" : "an end";
    eachWay(`a close in good order waits for ${what} that nobody reads`, async (actor, watcher, bench) => {
      watcher.pause();
      watcher.end();
      actor.write(words);
      actor.end();
      await bench.fence();
      assert.deepEqual(watcher.events, []);
      watcher.resume();
      assert.equal(await closed(watcher), undefined);
      assert.equal(watcher.received().toString(), words);
      assert.deepEqual(watcher.events.slice(-2), ["end", "close"]);
    });

    eachWay(`an abort does not wait for ${what} that nobody reads`, async (actor, watcher, bench) => {
      watcher.pause();
      watcher.end();
      actor.write(words);
      actor.end();
      await bench.fence();
      const error = new Error("enough");
      watcher.abort(error);
      assert.equal(await closed(watcher), error);
      assert.deepEqual(watcher.events, ["close"]);
    });
  }
}

function testEnd(eachWay: EachWay): void {
  eachWay("an end without data is an end", async (actor, watcher) => {
    actor.end();
    await watcher.until("end", () => watcher.ended);
    assert.equal(watcher.bytes, 0);
    watcher.end();
    assert.deepEqual(await Promise.all([closed(actor), closed(watcher)]), [undefined, undefined]);
  });

  eachWay("flushed is called once, after all that was written", async (actor, watcher) => {
    let flushed = 0;
    const size = 1 << 20;
    for (let at = 0; at < size; at += 65_536) actor.write(new Uint8Array(65_536));
    actor.end(() => flushed++);
    assert.equal(flushed, 0);
    await watcher.until("end", () => watcher.ended);
    assert.equal(watcher.bytes, size);
    watcher.end();
    await Promise.all([closed(actor), closed(watcher)]);
    assert.equal(flushed, 1);
  });
}

function testAbort(check: ChannelTest, eachWay: EachWay, reset: boolean): void {
  eachWay("abort closes without error, and the peer sees the end", async (actor, watcher) => {
    actor.write("goodbye");
    await watcher.until("the word", () => watcher.bytes === 7);
    actor.abort();
    assert.equal(await closed(actor), undefined);
    await watcher.until("end or close", () => watcher.ended || watcher.closed !== undefined);
    if (!watcher.closed) watcher.end();
    await closed(watcher);
  });

  eachWay("abort with an error closes with that very error", async (actor, watcher) => {
    actor.write("goodbye");
    await watcher.until("the word", () => watcher.bytes === 7);
    const error = new Error("enough");
    actor.abort(error);
    assert.equal(await closed(actor), error);
    await watcher.until("end or close", () => watcher.ended || watcher.closed !== undefined);
    if (!watcher.closed) watcher.end();
    const seen = await closed(watcher);
    if (reset) assert.equal(codeOf(seen), "ECONNRESET");
  });

  eachWay("abort does not wait for a peer that does not read", async (actor, watcher) => {
    watcher.pause();
    while (actor.write(new Uint8Array(65_536)));
    const error = new Error("enough");
    actor.abort(error);
    assert.equal(await closed(actor), error);
  });

  eachWay("abort right after end closes once", async (actor) => {
    const error = new Error("changed my mind");
    actor.write("half a");
    actor.end();
    actor.abort(error);
    assert.equal(await closed(actor), error);
  });

  eachWay("abort while the end is under way closes once", async (actor, _watcher, bench) => {
    actor.end();
    await Promise.resolve();
    const error = new Error("changed my mind");
    actor.abort(error);
    assert.equal(await closed(actor), error);
    await bench.fence();
  });

  eachWay("only the first abort counts", async (actor) => {
    const error = new Error("first");
    actor.abort(error);
    actor.abort(new Error("second"));
    actor.abort();
    assert.equal(await closed(actor), error);
  });

  eachWay("an abort without error stays one", async (actor) => {
    actor.abort();
    actor.abort(new Error("second"));
    assert.equal(await closed(actor), undefined);
  });

  eachWay("neither data nor end follows an abort from inside onData", async (actor, watcher, bench) => {
    watcher.pause();
    for (let i = 0; i < 4; i++) {
      actor.write(`word ${i}`);
      await bench.fence();
    }
    actor.end();
    await bench.fence();
    watcher.reaction = () => watcher.abort();
    watcher.resume();
    await closed(watcher);
    assert.deepEqual(watcher.events, ["data", "close"]);
  });

  check("both ends may abort at once", async (bench) => {
    const { near, far } = await bench.attached();
    const [mine, yours] = [new Error("near"), new Error("far")];
    near.abort(mine);
    far.abort(yours);
    const [first, second] = await Promise.all([closed(near), closed(far)]);
    assert.equal(first, mine);
    if (second !== yours) assert.equal(codeOf(second), "ECONNRESET");
  });

  check("an abort before attach is told after attach", async (bench) => {
    const { near } = await bench.unattached();
    const error = new Error("never mind");
    near.abort(error);
    await bench.fence();
    near.attach();
    assert.equal(await closed(near), error);
    assert.deepEqual(near.events, ["close"]);
  });
}

function testAfterwards(eachWay: EachWay): void {
  eachWay("writing to a peer that is gone closes the channel", async (actor, watcher) => {
    watcher.abort();
    await closed(watcher);
    while (!actor.closed) {
      if (actor.write("anybody?")) await new Promise(setImmediate);
      else await actor.until("drain or close", () => !actor.refused || actor.closed !== undefined);
    }
  });

  eachWay("a held-up writer hears that its peer is gone", async (actor, watcher) => {
    watcher.pause();
    while (actor.write(new Uint8Array(65_536)));
    watcher.abort();
    while (!actor.closed) {
      await actor.until("drain or close", () => !actor.refused || actor.closed !== undefined);
      if (!actor.closed) actor.write("anybody?");
      await new Promise(setImmediate);
    }
  });

  eachWay("a closed channel takes every call and does nothing", async (actor) => {
    actor.abort();
    await closed(actor);
    assert.equal(actor.write("too late"), false);
    actor.end();
    actor.end(() => assert.fail("nothing was flushed"));
    actor.pause();
    actor.resume();
    actor.abort(new Error("too late"));
    await new Promise(setImmediate);
    const { bytesRead, bytesWritten } = actor.channel.stats();
    assert.deepEqual([bytesRead, bytesWritten], [0, 0]);
  });
}
