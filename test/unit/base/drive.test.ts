import assert from "node:assert/strict";
import { test } from "node:test";
import { type Drive, drive } from "../../../src/base/drive.ts";
import type { Clock, Instant, Timer } from "../../../src/contract/clock.ts";
import type { Engine } from "../../../src/contract/engine.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** An engine whose outputs, events and deadline a test sets by hand. */
class Puppet implements Engine<string, string> {
  readonly out: string[] = [];
  readonly events: string[] = [];
  readonly timeouts: Instant[] = [];
  deadline: Instant | undefined;
  onTimeout = () => {};

  handleTimeout(now: Instant): void {
    this.timeouts.push(now);
    if (this.deadline !== undefined && now >= this.deadline) this.deadline = undefined;
    this.onTimeout();
  }

  pollTransmit(): string | undefined {
    return this.out.shift();
  }

  pollEvent(): string | undefined {
    return this.events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.deadline;
  }
}

/** Counts the timers that are armed on it. */
class CountingClock implements Clock {
  readonly virtual = new VirtualClock();
  armed = 0;

  now(): Instant {
    return this.virtual.now();
  }

  wall(): number {
    return this.virtual.wall();
  }

  setTimer(at: Instant, fire: () => void): Timer {
    this.armed++;
    return this.virtual.setTimer(at, fire);
  }
}

interface Options {
  readonly send?: (out: string, driving: Drive) => boolean | undefined;
  readonly emit?: (event: string, driving: Drive) => void;
}

function setup({ send = () => undefined, emit = () => {} }: Options = {}) {
  const engine = new Puppet();
  const clock = new CountingClock();
  const story: string[] = [];
  const driving: Drive = drive<string, string>(
    engine,
    clock,
    (out) => {
      story.push(`sends ${out}`);
      return send(out, driving);
    },
    (event) => {
      story.push(`says ${event}`);
      emit(event, driving);
    },
  );
  return { engine, clock, virtual: clock.virtual, story, driving, start: clock.now() };
}

test("a wake sends everything, then tells every event", () => {
  const { engine, story, driving, virtual } = setup();
  engine.out.push("a", "b");
  engine.events.push("x", "y");
  driving.wake();
  assert.deepEqual(story, ["sends a", "sends b", "says x", "says y"]);
  assert.equal(virtual.armed, 0, "no timer for an engine that waits for input");
});

test("an engine has one timer, which fires at its deadline", () => {
  const { engine, virtual, driving, start } = setup();
  engine.deadline = start + 10;
  driving.wake();
  driving.wake();
  assert.equal(virtual.armed, 1);
  virtual.advance(9.9);
  assert.deepEqual(engine.timeouts, []);
  virtual.advance(0.1);
  assert.deepEqual(engine.timeouts, [start + 10]);
  assert.equal(virtual.armed, 0);
});

test("what the engine does at a deadline is sent and told, and the next deadline is armed", () => {
  const { engine, virtual, story, driving, start } = setup();
  engine.deadline = start + 10;
  engine.onTimeout = () => {
    engine.out.push("again");
    engine.events.push("late");
    engine.deadline = engine.timeouts.length < 3 ? virtual.now() + 10 : undefined;
  };
  driving.wake();
  virtual.runUntilIdle();
  assert.deepEqual(engine.timeouts, [start + 10, start + 20, start + 30]);
  assert.deepEqual(story.slice(0, 2), ["sends again", "says late"]);
  assert.equal(story.length, 6);
});

test("an earlier deadline replaces the timer", () => {
  const { engine, virtual, driving, start } = setup();
  engine.deadline = start + 100;
  driving.wake();
  engine.deadline = start + 10;
  driving.wake();
  assert.equal(virtual.armed, 1);
  virtual.advance(10);
  assert.deepEqual(engine.timeouts, [start + 10]);
});

test("a later deadline keeps the earlier timer, which fires early, changes nothing and is armed anew", () => {
  const { engine, clock, virtual, driving, start } = setup();
  engine.deadline = start + 10;
  driving.wake();
  for (let i = 1; i <= 1000; i++) {
    engine.deadline = start + 10 + i;
    driving.wake();
  }
  assert.equal(clock.armed, 1, "moving a deadline away costs no timer");
  virtual.advance(10);
  assert.deepEqual(engine.timeouts, [start + 10]);
  assert.equal(clock.armed, 2);
  virtual.runUntilIdle();
  assert.deepEqual(engine.timeouts, [start + 10, start + 1010]);
});

test("a deadline that is gone cancels the timer", () => {
  const { engine, virtual, driving, start } = setup();
  engine.deadline = start + 10;
  driving.wake();
  engine.deadline = undefined;
  driving.wake();
  assert.equal(virtual.armed, 0);
  engine.deadline = start + 20;
  driving.wake();
  assert.equal(virtual.nextTimer(), start + 20);
});

test("a deadline in the past fires at once, not inside wake", () => {
  const { engine, virtual, driving, start } = setup();
  engine.deadline = start - 5;
  driving.wake();
  assert.deepEqual(engine.timeouts, []);
  virtual.advance(0);
  assert.deepEqual(engine.timeouts, [start]);
});

test("a send that refuses stops the sending until the next wake; events and timer go on", () => {
  const { engine, virtual, story, driving, start } = setup({ send: (out) => out !== "full" });
  engine.out.push("a", "full", "c", "d");
  engine.events.push("x");
  engine.deadline = start + 10;
  driving.wake();
  assert.deepEqual(story, ["sends a", "sends full", "says x"]);
  assert.equal(virtual.armed, 1);
  driving.wake();
  assert.deepEqual(story.slice(3), ["sends c", "sends d"]);
});

test("a send that answers nothing or true does not refuse", () => {
  const { engine, story, driving } = setup({ send: (out) => (out === "b" ? true : undefined) });
  engine.out.push("a", "b", "c");
  driving.wake();
  assert.equal(story.length, 3);
});

test("a wake from inside an event is served after it, and in order", () => {
  const { engine, story, driving } = setup({
    emit: (event, inner) => {
      if (event !== "x") return;
      engine.out.push("answer");
      engine.events.push("z");
      inner.wake();
      story.push("listener of x returns");
    },
  });
  engine.events.push("x", "y");
  driving.wake();
  assert.deepEqual(story, ["says x", "listener of x returns", "says y", "says z", "sends answer"]);
});

test("a wake from inside a send is served too", () => {
  const { engine, story, driving } = setup({
    send: (out, inner) => {
      if (out === "a") {
        engine.events.push("sent a");
        inner.wake();
      }
      return undefined;
    },
  });
  engine.out.push("a", "b");
  driving.wake();
  assert.deepEqual(story, ["sends a", "sends b", "says sent a"]);
});

test("stop inside an event ends everything: no further event, no send, no timer", () => {
  const { engine, virtual, story, driving, start } = setup({ emit: (_event, inner) => inner.stop() });
  engine.events.push("x", "y");
  engine.deadline = start + 10;
  driving.wake();
  assert.deepEqual(story, ["says x"]);
  assert.equal(virtual.armed, 0);
  engine.out.push("late");
  driving.wake();
  virtual.advance(100);
  assert.deepEqual(story, ["says x"]);
  assert.deepEqual(engine.timeouts, []);
});

test("stop inside a send ends everything too", () => {
  const { engine, virtual, story, driving, start } = setup({
    send: (_out, inner) => {
      inner.stop();
      return undefined;
    },
  });
  engine.out.push("a", "b");
  engine.events.push("x");
  engine.deadline = start + 10;
  driving.wake();
  assert.deepEqual(story, ["sends a"]);
  assert.equal(virtual.armed, 0);
});

test("stop cancels the armed timer and may come twice", () => {
  const { engine, virtual, driving, start } = setup();
  engine.deadline = start + 10;
  driving.wake();
  driving.stop();
  driving.stop();
  assert.equal(virtual.armed, 0);
});

test("unref lasts over timers to come, ref undoes it", () => {
  const { engine, virtual, driving, start } = setup();
  driving.unref();
  engine.deadline = start + 10;
  driving.wake();
  assert.deepEqual([virtual.armed, virtual.referenced], [1, 0]);
  driving.ref();
  assert.equal(virtual.referenced, 1);
  driving.unref();
  engine.deadline = start + 5;
  driving.wake();
  assert.deepEqual([virtual.armed, virtual.referenced], [1, 0]);
});

test("a listener that throws is heard by the caller of wake and leaves the engine alive", () => {
  const { engine, virtual, story, driving, start } = setup({
    emit: (event) => {
      if (event === "bad") throw new Error("the application's own");
    },
  });
  engine.events.push("bad", "good");
  engine.deadline = start + 10;
  assert.throws(() => driving.wake(), /the application's own/);
  assert.equal(virtual.armed, 1, "its deadline is still served");
  virtual.advance(10);
  assert.deepEqual(engine.timeouts, [start + 10]);
  assert.deepEqual(story, ["says bad", "says good"]);
});
