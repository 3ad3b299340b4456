import { closed, next, type Scenario, tolerate } from "./stage.ts";

/** How a socket is torn down. */
export const destroying: readonly Scenario[] = [
  {
    name: "destroy while connecting closes without an error",
    async run(stage) {
      const socket = stage.quiet(await stage.listen({}, tolerate), {}, stage.client.callback("connected"));
      stage.client.watch(socket);
      socket.destroy();
      stage.client.state("after destroy", socket);
      await closed(socket);
      stage.client.state("closed", socket);
    },
  },
  {
    name: "destroy with an error while connecting gives that error",
    async run(stage) {
      const socket = stage.connect(await stage.listen({}, tolerate));
      socket.destroy(new Error("changed my mind"));
      stage.client.state("after destroy", socket);
      await closed(socket);
    },
  },
  {
    name: "destroy while connecting fails the writes that waited",
    async run(stage) {
      const writes = stage.track("writes");
      const socket = stage.connect(await stage.listen({}, tolerate));
      socket.write("one", writes.callback("one written"));
      socket.write("two", writes.callback("two written"));
      socket.destroy();
      await closed(socket);
    },
  },
  {
    name: "destroy in the connect callback fails the writes that waited",
    async run(stage) {
      const writes = stage.track("writes");
      const socket = stage.connect(await stage.listen({}, tolerate), {}, () => socket.destroy());
      socket.write("one", writes.callback("one written"));
      socket.write("two", writes.callback("two written"));
      await closed(socket);
      stage.client.state("closed", socket);
    },
  },
  {
    name: "a reset that waits for connect calls back the writes that waited",
    async run(stage) {
      const writes = stage.track("writes");
      const socket = stage.connect(await stage.listen({}, tolerate));
      socket.write("one", writes.callback("one written"));
      socket.write("two", writes.callback("two written"));
      socket.resetAndDestroy();
      await closed(socket);
    },
  },
  {
    name: "destroy in the connect callback does not take ready away",
    async run(stage) {
      const socket = stage.connect(await stage.listen(), {}, () => socket.destroy());
      await stage.settled();
    },
  },
  {
    name: "destroy after connect is an end at the peer",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      await stage.arrival();
      socket.destroy();
      stage.client.state("after destroy", socket);
      await stage.settled();
    },
  },
  {
    name: "destroy with an error is error, then close(true); the peer sees an end",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      await stage.arrival();
      socket.on("error", () => stage.client.state("at error", socket));
      socket.destroy(new Error("no more"));
      await stage.settled();
    },
  },
  {
    name: "of two destroys the first counts",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      socket.destroy(new Error("first"));
      socket.destroy(new Error("second"));
      socket.destroy();
      await stage.settled();
      stage.client.attempt("destroy when closed", () => socket.destroy(new Error("third")) === socket);
    },
  },
  {
    name: "an accepted socket's destroy is an end at the client",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.on("data", () => socket.destroy());
      });
      stage.connect(address).write("go");
      await stage.settled();
    },
  },
  {
    name: "destroy in the data listener ends the reading",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        socket.on("error", () => {});
        socket.write("read me");
      });
      const socket = stage.connect(address);
      socket.on("data", () => socket.destroy());
      await closed(socket);
      stage.client.state("closed", socket);
    },
  },
  {
    name: "write after destroy fails its callback and nothing else",
    async run(stage) {
      const { client } = stage;
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      socket.destroy();
      client.attempt("write", () => socket.write("late", client.callback("written")));
      await stage.settled();
      client.attempt("write when closed", () =>
        socket.write("later", client.callback("written when closed")),
      );
      await new Promise(setImmediate);
    },
  },
  {
    name: "end after destroy changes nothing",
    async run(stage) {
      const { client } = stage;
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      socket.destroy();
      client.attempt("end", () => socket.end() === socket);
      await stage.settled();
      client.state("closed", socket);
    },
  },
  {
    name: "destroy fails the writes that wait for the peer",
    async run(stage) {
      const writes = stage.track("writes");
      const socket = stage.connect(await stage.listen({}, tolerate));
      await next(socket, "ready");
      socket.write(Buffer.alloc(64 << 20));
      socket.write("small", writes.callback("written"));
      socket.destroy(new Error("enough"));
      await closed(socket);
    },
  },
  {
    name: "nothing is emitted after close",
    async run(stage) {
      const socket = stage.connect(
        await stage.listen({}, (accepted) => accepted.on("error", () => {}).end("x")),
      );
      socket.on("data", () => socket.setTimeout(40).destroy());
      await closed(socket);
      const other = stage.quiet(await stage.listen({}, tolerate));
      await next(other.setTimeout(80), "timeout");
    },
  },
  {
    name: "resetAndDestroy is ECONNRESET at the peer and close(false) here",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      await stage.arrival();
      stage.client.attempt("resetAndDestroy", () => socket.resetAndDestroy() === socket);
      stage.client.state("after resetAndDestroy", socket);
      await stage.settled();
    },
  },
  {
    name: "an accepted socket's resetAndDestroy is ECONNRESET at the client",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.on("data", () => socket.resetAndDestroy());
      });
      const socket = stage.connect(address);
      socket.write("go");
      socket.on("error", () => stage.client.state("at error", socket));
      await stage.settled();
    },
  },
  {
    name: "resetAndDestroy while connecting waits for connect",
    async run(stage) {
      const socket = stage.connect(await stage.listen({}, tolerate));
      socket.resetAndDestroy();
      stage.client.state("after resetAndDestroy", socket);
      await closed(socket);
    },
  },
  {
    name: "resetAndDestroy on a socket that was never connected is ERR_SOCKET_CLOSED",
    async run(stage) {
      const socket = stage.socket({}, { except: ["close"] });
      stage.client.attempt("resetAndDestroy", () => socket.resetAndDestroy() === socket);
      await closed(socket);
    },
  },
  {
    name: "a reset fails the writes that wait",
    async run(stage) {
      const socket = stage.quiet(await stage.listen({}, tolerate));
      stage.client.watch(socket, { except: ["error"] });
      await next(socket, "ready");
      const accepted = await stage.arrival();
      const writes = stage.track("writes");
      socket.write(Buffer.alloc(64 << 20));
      socket.write("small", (error) => writes.note(`written: ${error ? "failed" : "done"}`));
      const failed = next(socket, "error");
      accepted.resetAndDestroy();
      await failed;
      await closed(socket);
    },
  },
  {
    name: "a half-open pair closes when one side is destroyed",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        stage.server.watch(socket);
        socket.on("end", () => socket.destroy());
      });
      const socket = stage.connect(address, { allowHalfOpen: true });
      await next(socket, "ready");
      await stage.arrival();
      socket.destroy();
      await stage.settled();
    },
  },
];
