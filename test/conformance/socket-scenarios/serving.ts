import { once } from "node:events";
import type { ServerLike } from "./harness.ts";
import { closed, next, type Scenario, type Stage, tolerate } from "./stage.ts";
import type { Track } from "./track.ts";

/** Notes what a server emits. */
function watch(track: Track, server: ServerLike): void {
  for (const event of ["listening", "close", "connection", "drop"]) server.on(event, () => track.note(event));
  server.on("error", (error) => track.note(`error ${error.code}`));
}

function state(track: Track, label: string, server: ServerLike): void {
  const address = server.address() === null ? "no address" : "an address";
  track.note(`${label}: ${server.listening ? "listening" : "not listening"}, ${address}`);
}

function connections(server: ServerLike): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}

function watched(stage: Stage): ServerLike {
  const server = stage.createServer({}, tolerate);
  watch(stage.server, server);
  return server;
}

/** What a server does. */
export const serving: readonly Scenario[] = [
  {
    name: "listening comes after listen has returned, the callback after earlier listeners",
    async run(stage) {
      const { server: track, harness } = stage;
      const server = watched(stage);
      state(track, "created", server);
      track.attempt("listen", () => harness.listen(server, track.callback("listens")) === server);
      await once(server, "listening");
      state(track, "at listening", server);
      track.attempt("close", () => server.close(track.callback("closed")) === server);
      state(track, "after close", server);
      await next(server, "close");
      state(track, "closed", server);
    },
  },
  {
    name: "a second listen throws ERR_SERVER_ALREADY_LISTEN",
    async run(stage) {
      const server = watched(stage);
      await stage.open(server);
      stage.server.attempt("listen", () => stage.harness.listen(server) === server);
      server.close();
      await next(server, "close");
    },
  },
  {
    name: "a server listens again after it has closed",
    async run(stage) {
      const server = watched(stage);
      await stage.open(server);
      server.close();
      await next(server, "close");
      const address = await stage.open(server);
      const socket = stage.connect(address);
      await next(socket, "ready");
      (await stage.arrival()).destroy();
      await stage.settled();
      server.close();
      await next(server, "close");
    },
  },
  {
    name: "close of a server that never listened is ERR_SERVER_NOT_RUNNING in its callback",
    async run(stage) {
      const server = watched(stage);
      const called = new Promise<void>((resolve) =>
        server.close((error) => {
          stage.server.callback("closed")(error);
          resolve();
        }),
      );
      await called;
    },
  },
  {
    name: "a second close is ERR_SERVER_NOT_RUNNING in its callback",
    async run(stage) {
      const { server: track } = stage;
      const server = stage.createServer();
      await stage.open(server);
      server.close(track.callback("closed"));
      await new Promise<void>((resolve) =>
        server.close((error) => {
          track.callback("closed again")(error);
          resolve();
        }),
      );
    },
  },
  {
    name: "close keeps connections, refuses new ones, and close follows the last",
    async run(stage) {
      const server = stage.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      const track = stage.track("listener");
      watch(track, server);
      const address = await stage.open(server);
      const socket = stage.quiet(address);
      stage.watchApart("client", socket);
      await next(socket, "ready");
      await stage.arrival();
      server.close(track.callback("closed"));
      const late = stage.quiet(address);
      track.note(`a late one: ${((await next(late, "error")) as NodeJS.ErrnoException).code}`);
      socket.end("kept");
      await next(server, "close");
      await stage.settled();
    },
  },
  {
    name: "close with two connections waits for both",
    async run(stage) {
      const server = stage.createServer({}, tolerate);
      const address = await stage.open(server);
      const sockets = [stage.quiet(address), stage.quiet(address)];
      await stage.arrival(2);
      const done = new Promise((resolve) => server.close(resolve));
      server.on("close", () => stage.server.note("close"));
      stage.accepted[0]!.destroy();
      await closed(stage.accepted[0]!);
      stage.server.note(`${await connections(server)} left`);
      stage.accepted[1]!.destroy();
      await done;
      stage.server.note(`${await connections(server)} left`);
      for (const socket of sockets) socket.destroy();
    },
  },
  {
    name: "the connection listener and the event are one",
    async run(stage) {
      const server = stage.createServer({}, () => stage.server.note("listener"));
      server.on("connection", (socket) => stage.server.note(`event ${socket === stage.accepted[0]}`));
      stage.server.note(`${server.listenerCount("connection")} listeners`);
      const socket = stage.quiet(await stage.open(server));
      await stage.arrival();
      socket.destroy();
    },
  },
  {
    name: "getConnections counts the open ones",
    async run(stage) {
      const server = stage.createServer({}, (socket) => socket.resume());
      stage.server.note(`${await connections(server)} before listen`);
      const address = await stage.open(server);
      const sockets = [stage.quiet(address), stage.quiet(address), stage.quiet(address)];
      await stage.arrival(3);
      stage.server.note(`${await connections(server)} open`);
      sockets[0]!.end();
      await Promise.race(stage.accepted.map((accepted) => next(accepted, "close")));
      stage.server.note(`${await connections(server)} left`);
    },
  },
  {
    name: "getConnections gives the server back and calls back later",
    async run(stage) {
      const server = watched(stage);
      const counted = next(server, "counted");
      stage.server.attempt("getConnections", () => {
        const result = server.getConnections((error, count) => {
          stage.server.note(`${error} ${count}`);
          server.emit("counted");
        });
        return result === server;
      });
      await counted;
    },
  },
  {
    name: "maxConnections drops what is too many",
    async run(stage) {
      const server = stage.createServer({}, tolerate);
      watch(stage.server, server);
      server.maxConnections = 1;
      const address = await stage.open(server);
      const first = stage.quiet(address);
      await stage.arrival();
      const second = stage.connect(address);
      await next(second, "close");
      stage.server.note(`${await connections(server)} open`);
      first.destroy();
      stage.accepted[0]!.destroy();
      await stage.settled();
      const third = stage.quiet(address);
      await stage.arrival(2);
      third.destroy();
    },
  },
  {
    name: "a half-open client of a full server sees its end",
    async run(stage) {
      const server = stage.createServer({}, tolerate);
      server.maxConnections = 1;
      const address = await stage.open(server);
      const first = stage.quiet(address);
      await stage.arrival();
      const socket = stage.connect(address, { allowHalfOpen: true });
      await next(socket, "end");
      first.destroy();
      stage.client.state("at end", socket);
    },
  },
  {
    name: "Symbol.asyncDispose of a server closes it where Node has it",
    async run(stage) {
      const server = watched(stage);
      await stage.open(server);
      const dispose = (server as Partial<AsyncDisposable>)[Symbol.asyncDispose];
      stage.server.note(typeof dispose);
      if (dispose) await stage.server.outcome("dispose", dispose.call(server));
      else server.close();
      state(stage.server, "disposed", server);
    },
  },
  {
    name: "ref and unref give the server back, also before listen and after close",
    async run(stage) {
      const { server: track } = stage;
      const server = stage.createServer();
      const both = (label: string) => {
        track.attempt(`${label}: unref`, () => server.unref() === server);
        track.attempt(`${label}: ref`, () => server.ref() === server);
      };
      both("created");
      await stage.open(server);
      both("listening");
      server.close();
      await next(server, "close");
      both("closed");
    },
  },
  {
    name: "options and listeners of a wrong type are refused at once",
    async run(stage) {
      const { server: track, harness } = stage;
      for (const wrong of ["text", 5, true]) {
        track.attempt(`options ${wrong}`, () => harness.createServer(wrong as never).listening);
      }
      track.attempt("getConnections without a callback", () => {
        const counted = harness.createServer().getConnections(undefined as never);
        return counted === undefined;
      });
    },
  },
];
