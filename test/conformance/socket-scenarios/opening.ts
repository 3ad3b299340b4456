import { closed, next, type Scenario } from "./stage.ts";

/** How a socket opens, or fails to. */
export const opening: readonly Scenario[] = [
  {
    name: "connect comes first, then ready; the callback is the first listener of connect",
    async run(stage) {
      const socket = stage.connect(await stage.listen(), {}, stage.client.callback("connected"));
      socket.once("ready", () => socket.end());
      await stage.settled();
    },
  },
  {
    name: "a client's state goes from closed over opening and open to closed",
    async run(stage) {
      const address = await stage.listen();
      const socket = stage.socket();
      const state = (label: string) => stage.client.state(label, socket);
      state("created");
      for (const event of ["connect", "ready", "end", "finish", "close"])
        socket.on(event, () => state(event));
      stage.harness.connect(socket, address);
      state("connecting");
      await next(socket, "ready");
      socket.end();
      state("ended");
      await stage.settled();
      state("settled");
    },
  },
  {
    name: "an accepted socket is open from the start",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        const state = (label: string) => stage.server.state(label, socket);
        state("connection");
        for (const event of ["end", "finish", "close"]) socket.on(event, () => state(event));
        socket.resume();
      });
      stage.connect(address).end();
      await stage.settled();
    },
  },
  {
    name: "writes before connect are kept in order and their callbacks follow connect",
    async run(stage) {
      const { client } = stage;
      const socket = stage.quiet(await stage.listen());
      client.watch(socket, { except: ["ready"] });
      client.attempt("write one", () => socket.write("one,", client.callback("one written")));
      client.attempt("write two", () => socket.write("two,", client.callback("two written")));
      client.attempt("write three", () =>
        socket.write(Buffer.from("three"), client.callback("three written")),
      );
      client.state("after the writes", socket);
      client.note(`${socket.bytesWritten} bytes written, ${socket.writableLength} waiting`);
      socket.end(client.callback("ended"));
      client.state("after end", socket);
      await stage.settled();
      client.note(`${socket.bytesWritten} bytes written, ${socket.writableLength} waiting`);
    },
  },
  {
    name: "end before connect ends after connect",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      socket.end();
      stage.client.state("after end", socket);
      await stage.settled();
    },
  },
  {
    name: "end with data before connect sends the data",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      socket.end("all of it", stage.client.callback("ended"));
      stage.client.note(`${socket.bytesWritten} bytes written`);
      await stage.settled();
    },
  },
  {
    name: "writes in the connect callback are sent",
    async run(stage) {
      const socket = stage.connect(await stage.listen(), {}, () => {
        stage.client.attempt("write", () => socket.write("hello"));
        socket.end(" world");
      });
      await stage.settled();
    },
  },
  {
    name: "write on a socket that was never connected fails",
    async run(stage) {
      const { client } = stage;
      const socket = stage.socket({}, { except: ["close"] });
      client.attempt("write", () => socket.write("lost", client.callback("written")));
      await closed(socket);
      client.state("closed", socket);
    },
  },
  {
    name: "destroy on a socket that was never connected closes it",
    async run(stage) {
      const socket = stage.socket();
      stage.client.attempt("destroy", () => socket.destroy() === socket);
      stage.client.state("after destroy", socket);
      await stage.settled(0);
      stage.client.state("closed", socket);
    },
  },
  {
    name: "a refused connection is error, then close(true), and no connect",
    async run(stage) {
      const socket = stage.connect(await stage.deserted(), {}, stage.client.callback("connected"));
      socket.on("error", () => stage.client.state("at error", socket));
      socket.on("close", () => stage.client.state("at close", socket));
      await stage.settled(0);
    },
  },
  {
    name: "a refused connection fails the writes that waited",
    async run(stage) {
      const writes = stage.track("writes");
      const socket = stage.connect(await stage.deserted());
      socket.write("one", writes.callback("one written"));
      socket.write("two", writes.callback("two written"));
      socket.end(writes.callback("ended"));
      await stage.settled(0);
    },
  },
  {
    name: "a socket connects again after it has closed",
    async run(stage) {
      const address = await stage.listen();
      const socket = stage.socket();
      stage.harness.connect(socket, address, stage.client.callback("first"));
      socket.end("one");
      await closed(socket);
      stage.client.state("between", socket);
      stage.harness.connect(socket, address, stage.client.callback("second"));
      stage.client.state("connecting again", socket);
      socket.end("two");
      await next(socket, "close");
      await stage.settled(2);
    },
  },
  {
    name: "a socket connects again after it was refused",
    async run(stage) {
      const socket = stage.socket();
      stage.harness.connect(socket, await stage.deserted());
      await closed(socket);
      stage.harness.connect(socket, await stage.listen());
      stage.client.state("connecting again", socket);
      socket.end("two");
      await next(socket, "close");
      await stage.settled();
    },
  },
  {
    name: "a server may speak first",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket);
        socket.write("welcome");
        socket.end("!");
      });
      stage.connect(address);
      await stage.settled();
    },
  },
  {
    name: "what came before anybody listened is not lost, and neither is the end",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        stage.server.watch(socket);
        socket.end("early");
      });
      const socket = stage.quiet(address);
      await next(await stage.arrival(), "finish");
      stage.watchApart("client", socket);
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "socket options may be set at any time and give the socket back",
    async run(stage) {
      const address = await stage.listen();
      const socket = stage.connect(address);
      const set = (label: string) => {
        stage.client.attempt(`${label}: setNoDelay`, () => socket.setNoDelay() === socket);
        stage.client.attempt(`${label}: setNoDelay(false)`, () => socket.setNoDelay(false) === socket);
        stage.client.attempt(`${label}: setKeepAlive`, () => socket.setKeepAlive(true, 1000) === socket);
        stage.client.attempt(`${label}: setKeepAlive(false)`, () => socket.setKeepAlive(false) === socket);
        stage.client.attempt(`${label}: unref`, () => socket.unref() === socket);
        stage.client.attempt(`${label}: ref`, () => socket.ref() === socket);
        stage.client.attempt(`${label}: setTimeout`, () => socket.setTimeout(0) === socket);
      };
      set("connecting");
      await next(socket, "ready");
      set("open");
      socket.end();
      await stage.settled();
      set("closed");
    },
  },
];
