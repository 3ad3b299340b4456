import { closed, next, type Scenario, tolerate } from "./stage.ts";

/** How the two directions of a connection end. */
export const ending: readonly Scenario[] = [
  {
    name: "a client's end is end, finish and close at the server, whose end is end at the client",
    async run(stage) {
      const socket = stage.connect(await stage.listen(), {}, () => socket.end("bye"));
      await stage.settled();
    },
  },
  {
    name: "a server's end closes the client as well",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.end("bye");
      });
      stage.connect(address);
      await stage.settled();
    },
  },
  {
    name: "a half-open client writes on after the server's end",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.end("you may go on");
      });
      const socket = stage.connect(address, { allowHalfOpen: true });
      await next(socket, "end");
      stage.client.state("at end", socket);
      stage.client.attempt("write", () => socket.write("thanks"));
      await next(await stage.arrival(), "data");
      stage.server.state("half closed", await stage.arrival());
      socket.end(", done");
      await stage.settled();
      stage.client.state("settled", socket);
    },
  },
  {
    name: "a half-open server answers after the client's end",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        stage.server.watch(socket);
        socket.on("end", () => {
          stage.server.state("at end", socket);
          setImmediate(() => socket.end("the answer"));
        });
      });
      const socket = stage.connect(address);
      socket.end("a question");
      await next(socket, "finish");
      stage.client.state("at finish", socket);
      await stage.settled();
    },
  },
  {
    name: "with both sides half-open each end stands alone",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true });
      const socket = stage.connect(address, { allowHalfOpen: true });
      socket.end("first");
      const accepted = await stage.arrival();
      await next(accepted, "end");
      stage.client.state("only the client has ended", socket);
      stage.server.state("only the client has ended", accepted);
      accepted.end("second");
      await stage.settled();
      stage.client.state("both have ended", socket);
      stage.server.state("both have ended", accepted);
    },
  },
  {
    name: "when both end at once both close in good order",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.watchApart("server", socket);
        socket.end("from the server");
      });
      const socket = stage.quiet(address, {}, () => socket.end("from the client"));
      stage.watchApart("client", socket);
      await stage.settled();
    },
  },
  {
    name: "end may be called twice, and calls back twice",
    async run(stage) {
      const { client } = stage;
      const socket = stage.connect(await stage.listen());
      client.attempt("end", () => socket.end(client.callback("first end")) === socket);
      client.attempt("end again", () => socket.end(client.callback("second end")) === socket);
      await stage.settled();
    },
  },
  {
    name: "end after finish tells so to its callback alone",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({ allowHalfOpen: true }, (socket) =>
        stage.watchApart("server", socket),
      );
      const socket = stage.connect(address);
      socket.end("x");
      await next(socket, "finish");
      const told = new Promise<void>((resolve) =>
        socket.end((error?: Error) => {
          client.callback("ended")(error);
          resolve();
        }),
      );
      await told;
      (await stage.arrival()).end();
      await stage.settled();
    },
  },
  {
    name: "end with data after end fails",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({ allowHalfOpen: true }, (socket) =>
        socket.resume().on("error", () => {}),
      );
      const socket = stage.connect(address);
      await next(socket, "ready");
      socket.end("one");
      client.attempt("end", () => socket.end("two", client.callback("ended")) === socket);
      await next(socket, "close");
    },
  },
  {
    name: "end with data after end while connecting fails its callback before close",
    async run(stage) {
      const { client } = stage;
      const socket = stage.connect(await stage.listen({}, tolerate));
      socket.end("one");
      client.attempt("end", () => socket.end("two", client.callback("ended")) === socket);
      await closed(socket);
    },
  },
  {
    name: "write after end is ERR_STREAM_WRITE_AFTER_END and closes the socket",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({}, (socket) => socket.resume().on("error", () => {}));
      const socket = stage.connect(address);
      await next(socket, "ready");
      socket.end();
      client.attempt("write", () => socket.write("late", client.callback("written")));
      client.state("after write", socket);
      await next(socket, "close");
      client.state("closed", socket);
    },
  },
  {
    name: "write in the end listener is still sent",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.end("bye");
      });
      const socket = stage.connect(address);
      socket.on("end", () => {
        stage.client.state("at end", socket);
        stage.client.attempt("write", () => socket.write("just in time"));
      });
      await stage.settled();
    },
  },
  {
    name: "write after the peer's end is EPIPE where half-open is not allowed",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({}, (socket) => socket.on("error", () => {}).end("bye"));
      const socket = stage.connect(address);
      const write = () => {
        client.state("a tick after end", socket);
        client.attempt("write", () => socket.write("late", client.callback("written")));
      };
      socket.on("end", () => process.nextTick(() => process.nextTick(write)));
      await next(socket, "close");
    },
  },
  {
    name: "end in the end listener is the end",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        stage.server.watch(socket);
        socket.on("end", () => socket.end("last words"));
      });
      stage.connect(address).end("your turn");
      await stage.settled();
    },
  },
  {
    name: "a megabyte that waits is sent before the end",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      for (let i = 0; i < 16; i++) socket.write(Buffer.alloc(65536, i));
      socket.end(stage.client.callback("ended"));
      await stage.settled();
      stage.client.note(`${socket.bytesWritten} bytes written`);
      stage.server.note(`${stage.accepted[0]!.bytesRead} bytes read`);
    },
  },
  {
    name: "destroySoon sends what waits, then closes without the peer's end",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        stage.server.watch(socket);
        socket.on("end", () => socket.end());
      });
      const socket = stage.connect(address);
      await next(socket, "ready");
      socket.write("all of this");
      socket.destroySoon();
      stage.client.state("after destroySoon", socket);
      await stage.settled();
    },
  },
  {
    name: "a paused client sees the end only when it reads on",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        stage.server.watch(socket);
        socket.end("unread");
      });
      const socket = stage.connect(address);
      socket.pause();
      await next(await stage.arrival(), "finish");
      stage.client.note("now it reads");
      socket.resume();
      await stage.settled();
    },
  },
];
