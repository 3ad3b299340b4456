import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { SocketLike } from "./harness.ts";
import { next, type Scenario, type Stage, tolerate } from "./stage.ts";

/** A server that sends these chunks to everybody and ends. */
function sender(stage: Stage, ...chunks: readonly (string | Uint8Array)[]) {
  return stage.listen({}, (socket) => {
    tolerate(socket);
    for (const chunk of chunks) socket.write(chunk);
    socket.end();
  });
}

/** What a socket lets read in paused mode, once it has that many bytes or its end. */
async function readWhenThere(socket: SocketLike, size: number): Promise<Buffer | string | null> {
  for (;;) {
    const chunk = socket.read(size);
    if (chunk !== null || socket.readableEnded) return chunk;
    await next(socket, "readable");
    // Bytes that are too few make a stream readable again and again, before any I/O can bring more.
    await new Promise(setImmediate);
  }
}

/** What comes out: modes, encodings and pipes. */
export const reading: readonly Scenario[] = [
  {
    name: "data are Buffers",
    async run(stage) {
      const socket = stage.quiet(await sender(stage, "x"));
      const [chunk] = await once(socket, "data");
      stage.client.note(`${Buffer.isBuffer(chunk)} ${chunk instanceof Uint8Array}`);
      await stage.settled();
    },
  },
  {
    name: "setEncoding joins characters that were torn apart",
    async run(stage) {
      const euro = Buffer.from("€");
      const address = await stage.listen({}, async (socket) => {
        socket.write(euro.subarray(0, 1));
        await next(socket, "data");
        socket.end(euro.subarray(1));
      });
      const socket = stage.connect(address);
      stage.client.attempt("setEncoding", () => socket.setEncoding("utf8") === socket);
      socket.write("go on");
      await stage.settled();
    },
  },
  {
    name: "setEncoding may be hex",
    async run(stage) {
      stage.connect(await sender(stage, Buffer.from([1, 2, 255]))).setEncoding("hex");
      await stage.settled();
    },
  },
  {
    name: "pause holds data back until resume",
    async run(stage) {
      const address = await stage.listen({}, (socket) => socket.pipe(socket));
      const socket = stage.connect(address);
      const other = stage.quiet(address);
      await next(socket, "ready");
      stage.client.attempt("pause", () => socket.pause() === socket);
      stage.client.note(`paused ${socket.isPaused()}, flowing ${socket.readableFlowing}`);
      socket.write("echo");
      other.write("round trip");
      await next(other, "data");
      stage.client.attempt("resume", () => socket.resume() === socket);
      stage.client.note(`paused ${socket.isPaused()}, flowing ${socket.readableFlowing}`);
      await next(socket, "data");
      socket.end();
      other.end();
      await stage.settled(2);
    },
  },
  {
    name: "pause in the data listener holds back what follows",
    async run(stage) {
      const address = await stage.listen({}, async (socket) => {
        socket.write("one");
        await next(socket, "data");
        socket.end("two");
      });
      const socket = stage.connect(address);
      socket.once("data", () => {
        socket.pause();
        socket.write("got one");
        setImmediate(() => {
          stage.client.note("resumes");
          socket.resume();
        });
      });
      await stage.settled();
    },
  },
  {
    name: "read gives as many bytes as asked for",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({}, (socket) => {
        socket.write("12345");
        socket.write("67890");
        socket.on("data", () => socket.end());
      });
      const socket = stage.quiet(address);
      client.watch(socket, { except: ["data"] });
      for (const size of [3, 4, 2]) client.data((await readWhenThere(socket, size)) ?? "nothing");
      client.note(`${socket.readableFlowing}`);
      client.attempt("read more than there is", () => socket.read(1000));
      client.attempt("read the rest", () => socket.read());
      client.attempt("read again", () => socket.read());
      socket.write("enough");
      socket.resume();
      await stage.settled();
    },
  },
  {
    name: "unshift puts bytes back",
    async run(stage) {
      const socket = stage.connect(await sender(stage, "world"));
      socket.once("data", () => {
        socket.unshift(Buffer.from("again "));
      });
      await stage.settled();
    },
  },
  {
    name: "pipe carries data and end",
    async run(stage) {
      const through = new PassThrough();
      const socket = stage.quiet(await sender(stage, "through ", "the pipe"));
      socket.pipe(through);
      for await (const chunk of through) stage.client.data(chunk);
      stage.client.note("the pipe has ended");
      await stage.settled();
    },
  },
  {
    name: "unpipe stops the pipe and the socket",
    async run(stage) {
      const { client } = stage;
      const through = new PassThrough();
      const socket = stage.quiet(await stage.listen({}, (accepted) => accepted.pipe(accepted)));
      socket.pipe(through);
      socket.write("one");
      client.data((await once(through, "data"))[0]);
      client.attempt("unpipe", () => socket.unpipe(through) === socket);
      client.note(`flowing ${socket.readableFlowing}`);
      stage.watchApart("client", socket);
      socket.resume().end("two");
      await stage.settled();
      client.note(`the pipe is ${through.writableEnded ? "ended" : "open"}`);
    },
  },
  {
    name: "pauseOnConnect gives a paused socket",
    async run(stage) {
      const address = await stage.listen({ pauseOnConnect: true }, (socket) => {
        stage.server.note(`paused ${socket.isPaused()}, flowing ${socket.readableFlowing}`);
        stage.server.watch(socket);
        stage.server.note(`paused ${socket.isPaused()}, flowing ${socket.readableFlowing}`);
      });
      const socket = stage.connect(address);
      socket.end("patience");
      const accepted = await stage.arrival();
      const other = stage.quiet(await sender(stage, "round trip"));
      await next(other, "data");
      stage.server.note("reads on");
      accepted.resume();
      other.resume();
      await stage.settled(2);
    },
  },
  {
    name: "readable comes with data and with the end",
    async run(stage) {
      const { client } = stage;
      const socket = stage.quiet(await sender(stage, "read me"));
      client.watch(socket, { except: ["data"] });
      socket.on("readable", () => {
        for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) client.data(chunk);
      });
      await stage.settled();
    },
  },
  {
    name: "an echo by pipe ends when the client ends",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      const socket = stage.quiet(address);
      stage.watchApart("client", socket);
      socket.end("echo this");
      await stage.settled();
    },
  },
  {
    name: "readableLength and readableDidRead tell what waits",
    async run(stage) {
      const { client } = stage;
      const socket = stage.quiet(await sender(stage, "four"));
      socket.pause();
      client.note(`${socket.readableLength} wait, read ${socket.readableDidRead}`);
      client.note(`${await readWhenThere(socket, 4)}`);
      client.note(`${socket.readableLength} wait, read ${socket.readableDidRead}`);
      socket.resume();
      await stage.settled();
    },
  },
];
