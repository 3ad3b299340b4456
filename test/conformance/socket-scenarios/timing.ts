import { performance } from "node:perf_hooks";
import { closed, next, type Scenario, tolerate } from "./stage.ts";

/** A timer of Node may fire this much early by another clock; chosen. */
const SLACK = 2;

/** Idleness that begins before the connection is there, in ms (chosen: a dial of a busy machine). */
const LONGER_THAN_DIALS = 250;

/** Idle time-outs and the signals that give up. */
export const timing: readonly Scenario[] = [
  {
    name: "timeout comes after idleness and leaves the socket open",
    async run(stage) {
      const { client } = stage;
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      const since = performance.now();
      client.attempt("setTimeout", () => socket.setTimeout(30, client.callback("called back")) === socket);
      client.note(`timeout is ${socket.timeout}`);
      await next(socket, "timeout");
      client.note(`after ${performance.now() - since >= 30 - SLACK ? "30 ms or more" : "less"}`);
      client.state("at timeout", socket);
      socket.end("still here");
      await stage.settled();
    },
  },
  {
    name: "the callback of setTimeout is called once, the event comes again after activity",
    async run(stage) {
      const address = await stage.listen({}, (socket) => socket.pipe(socket));
      const socket = stage.connect(address);
      await next(socket, "ready");
      socket.setTimeout(40, stage.client.callback("called back"));
      await next(socket, "timeout");
      socket.write("activity");
      await next(socket, "data");
      await next(socket, "timeout");
      socket.setTimeout(0);
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "writing puts the timeout off",
    async run(stage) {
      const socket = stage.quiet(await stage.listen());
      await next(socket, "ready");
      let active = performance.now();
      const idle = next(socket.setTimeout(80), "timeout").then(() => performance.now() - active);
      for (let i = 0; i < 12; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        active = performance.now();
        socket.write("activity");
      }
      stage.client.note(`timeout after ${(await idle) >= 80 - SLACK ? "idleness" : "activity"}`);
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "reading puts the timeout off",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        tolerate(socket);
        const timer = setInterval(() => socket.write("activity"), 10);
        setTimeout(() => clearInterval(timer), 120);
      });
      const socket = stage.quiet(address);
      await next(socket, "ready");
      let active = performance.now();
      socket.on("data", () => {
        active = performance.now();
      });
      await next(socket.setTimeout(80), "timeout");
      stage.client.note(
        `timeout after ${performance.now() - active >= 80 - SLACK ? "idleness" : "activity"}`,
      );
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "setTimeout(0) ends the waiting and takes its callback away",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({}, (socket) => socket.resume());
      const [socket, other] = [stage.connect(address), stage.quiet(address)];
      const late = client.callback("called back");
      await next(socket, "ready");
      socket.setTimeout(10, late);
      socket.setTimeout(0, late);
      client.note(`timeout is ${socket.timeout}, ${socket.listenerCount("timeout")} listeners`);
      await next(other.setTimeout(40), "timeout");
      socket.end();
      other.end();
      await closed(socket);
    },
  },
  {
    name: "the option timeout is setTimeout",
    async run(stage) {
      const socket = stage.connect(await stage.listen(), { timeout: LONGER_THAN_DIALS });
      stage.client.note(`timeout is ${socket.timeout}`);
      await next(socket, "timeout");
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "setTimeout before connect holds after it",
    async run(stage) {
      const socket = stage.socket();
      socket.setTimeout(LONGER_THAN_DIALS, stage.client.callback("called back"));
      stage.harness.connect(socket, await stage.listen());
      await next(socket, "timeout");
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "an accepted socket times out as well",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.setTimeout(30, () => socket.destroy());
      });
      stage.connect(address);
      await stage.settled();
    },
  },
  {
    name: "no timeout comes after destroy",
    async run(stage) {
      const address = await stage.listen({}, (socket) => socket.resume());
      const [socket, other] = [stage.connect(address), stage.quiet(address)];
      await next(socket, "ready");
      socket.setTimeout(10);
      socket.destroy();
      await next(other.setTimeout(40), "timeout");
      other.end();
      await closed(other);
    },
  },
  {
    name: "setTimeout refuses what is no duration",
    async run(stage) {
      const { client } = stage;
      const socket = stage.socket();
      for (const value of ["10", null, {}, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        client.attempt(`setTimeout(${value})`, () => socket.setTimeout(value as number) === socket);
      }
      client.attempt(
        "no callback",
        () => socket.setTimeout(10, "call me" as unknown as () => void) === socket,
      );
      socket.setTimeout(0).destroy();
      await closed(socket);
    },
  },
  {
    name: "a signal that has aborted before gives ABORT_ERR and no connection",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({}, tolerate);
      const options = { signal: AbortSignal.abort() };
      const socket = stage.quiet(address, options, client.callback("connected"));
      client.watch(socket, { except: ["close"] });
      socket.on("error", (error) => client.note(error.name));
      await closed(socket);
    },
  },
  {
    name: "a signal that aborts while connecting gives ABORT_ERR",
    async run(stage) {
      const controller = new AbortController();
      const address = await stage.listen({}, tolerate);
      const socket = stage.connect(address, { signal: controller.signal });
      controller.abort();
      stage.client.state("after abort", socket);
      await closed(socket);
    },
  },
  {
    name: "a signal that aborts after connect gives ABORT_ERR, and the peer an end",
    async run(stage) {
      const controller = new AbortController();
      const socket = stage.connect(await stage.listen(), { signal: controller.signal });
      await next(socket, "ready");
      await stage.arrival();
      controller.abort(new Error("the reason"));
      stage.client.state("after abort", socket);
      await stage.settled();
    },
  },
  {
    name: "a signal that aborts after close changes nothing",
    async run(stage) {
      const controller = new AbortController();
      const socket = stage.connect(await stage.listen(), { signal: controller.signal });
      socket.end();
      await stage.settled();
      controller.abort();
      await new Promise(setImmediate);
      stage.client.state("after abort", socket);
    },
  },
  {
    name: "a signal must be a signal",
    async run(stage) {
      const signal = "stop" as unknown as AbortSignal;
      stage.client.attempt("signal", () => stage.harness.createSocket({ signal }) === undefined);
    },
  },
];
