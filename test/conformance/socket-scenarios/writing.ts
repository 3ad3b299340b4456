import { closed, next, type Scenario, tolerate } from "./stage.ts";

/** What goes in: chunks, encodings, callbacks and back-pressure. */
export const writing: readonly Scenario[] = [
  {
    name: "a large write gives false and drains once",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({}, (socket) => socket.pause());
      const socket = stage.connect(address);
      await next(socket, "ready");
      const accepted = await stage.arrival();
      client.attempt("write", () => socket.write(Buffer.alloc(32 << 20, 7)));
      client.state("after write", socket);
      stage.server.watch(accepted);
      accepted.resume();
      await next(socket, "drain");
      client.state("at drain", socket);
      client.attempt("small write", () => socket.write("x"));
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "a large write before connect gives false and drains after connect",
    async run(stage) {
      const { client } = stage;
      const socket = stage.quiet(await stage.listen());
      client.watch(socket, { except: ["ready"] });
      client.attempt("write", () => socket.write(Buffer.alloc(100_000, 7)));
      client.note(`${socket.bytesWritten} bytes written, ${socket.writableLength} waiting`);
      await next(socket, "drain");
      socket.end();
      await stage.settled();
    },
  },
  {
    name: "a reader that pauses holds up the writer",
    async run(stage) {
      const size = 32 << 20;
      const order = stage.track("order");
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        if (stage.accepted.length === 1) socket.pause();
        else socket.pipe(socket);
      });
      const writer = stage.quiet(address);
      await next(writer, "ready");
      const reader = await stage.arrival(1);
      for (let sent = 0; sent < size; sent += 1 << 20) writer.write(Buffer.alloc(1 << 20));
      writer.end(() => order.note("all is written"));
      const other = stage.quiet(address);
      for (let i = 0; i < 100; i++) {
        other.write("round trip");
        await next(other, "data");
      }
      order.note(`the reader has read ${stage.accepted[0]!.bytesRead < size ? "a part" : "all"}`);
      other.end();
      let read = 0;
      reader.on("data", (chunk: Buffer) => {
        read += chunk.length;
      });
      order.note("the reader reads on");
      reader.resume();
      await next(reader, "end");
      stage.server.note(`${read} bytes read`);
      reader.end();
      await stage.settled(2);
    },
  },
  {
    name: "write callbacks come in the order of the writes",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      for (let i = 0; i < 10; i++) socket.write(`${i},`, stage.client.callback(`${i} written`));
      socket.end(stage.client.callback("ended"));
      await stage.settled();
    },
  },
  {
    name: "bytesWritten counts what waits and bytesRead what has come",
    async run(stage) {
      const { client, server } = stage;
      const socket = stage.connect(await stage.listen());
      client.note(`new: ${socket.bytesRead} read, ${socket.bytesWritten} written`);
      socket.write("häßlich");
      socket.write("00ff", "hex");
      client.note(`waiting: ${socket.bytesWritten} written`);
      await next(socket, "ready");
      socket.cork();
      socket.write("corked");
      client.note(`corked: ${socket.bytesWritten} written`);
      socket.uncork();
      socket.end("!");
      await stage.settled();
      client.note(`closed: ${socket.bytesRead} read, ${socket.bytesWritten} written`);
      server.note(`closed: ${stage.accepted[0]!.bytesRead} read, ${stage.accepted[0]!.bytesWritten} written`);
    },
  },
  {
    name: "corked writes wait for uncork, each with its callback",
    async run(stage) {
      const { client } = stage;
      const socket = stage.connect(await stage.listen());
      await next(socket, "ready");
      socket.cork();
      socket.cork();
      client.attempt("write", () => socket.write("one,", client.callback("one written")));
      client.attempt("write", () => socket.write(Buffer.from("two,"), client.callback("two written")));
      client.attempt("write", () => socket.write("6d69,", "latin1", client.callback("three written")));
      socket.uncork();
      client.note(`${socket.writableCorked} corks, ${socket.writableLength} waiting`);
      socket.uncork();
      client.note(`${socket.writableCorked} corks`);
      socket.end("end", client.callback("ended"));
      await stage.settled();
    },
  },
  {
    name: "end uncorks",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      socket.cork();
      socket.write("one");
      socket.write("two");
      socket.end("three");
      await stage.settled();
    },
  },
  {
    name: "strings are written in their encodings",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      socket.write("ü");
      socket.write("ü", "latin1");
      socket.write("ü", "utf16le");
      socket.write("c3bc", "hex");
      socket.write("w7w=", "base64");
      socket.setDefaultEncoding("hex");
      socket.write("21");
      stage.client.attempt("unknown encoding", () => socket.write("x", "klingon" as "utf8"));
      stage.client.attempt("unknown default", () => socket.setDefaultEncoding("klingon" as "utf8"));
      socket.end("3f");
      await stage.settled();
    },
  },
  {
    name: "empty writes send nothing and call back",
    async run(stage) {
      const { client } = stage;
      const writes = stage.track("writes");
      const socket = stage.connect(await stage.listen());
      client.attempt("empty string", () => socket.write("", writes.callback("empty string written")));
      client.attempt("empty buffer", () =>
        socket.write(Buffer.alloc(0), writes.callback("empty buffer written")),
      );
      await next(socket, "ready");
      client.attempt("empty string", () => socket.write("", writes.callback("empty string written")));
      socket.end("");
      await stage.settled();
    },
  },
  {
    name: "chunks of other types are refused at once",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      for (const chunk of [null, undefined, 5, true, {}, ["x"], () => {}, Symbol("s"), 5n]) {
        stage.client.attempt(`write of ${typeof chunk}`, () => socket.write(chunk as unknown as string));
      }
      stage.client.attempt("end of number", () => socket.end(5 as unknown as string) === socket);
      socket.destroy();
      await closed(socket);
    },
  },
  {
    name: "a Uint8Array is a chunk, also a part of a larger one",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      const bytes = new TextEncoder().encode("<<inner>>");
      stage.client.attempt("write", () => socket.write(bytes));
      stage.client.attempt("write", () => socket.write(bytes.subarray(2, 7)));
      socket.end(new Uint8Array([33]));
      await stage.settled();
    },
  },
  {
    name: "a buffer may be used again once its callback has come",
    async run(stage) {
      const address = await stage.listen({ pauseOnConnect: true }, (socket) => socket.pause());
      const socket = stage.quiet(address);
      const buffer = Buffer.alloc(10);
      for (const letter of "abc") {
        buffer.fill(letter);
        await new Promise((resolve) => socket.write(buffer, resolve));
      }
      socket.end();
      stage.server.watch(await stage.arrival());
      stage.accepted[0]!.resume();
      socket.resume();
      await stage.settled();
    },
  },
  {
    name: "a reader may change what it reads; the writer's buffer stays",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        socket.on("data", (chunk: Buffer) => {
          stage.server.data(chunk);
          chunk.fill(0);
        });
      });
      const socket = stage.quiet(address);
      const buffer = Buffer.from("mine");
      socket.resume().end(buffer);
      await stage.settled();
      stage.client.data(buffer);
    },
  },
  {
    name: "highWaterMark says when write gives false",
    async run(stage) {
      const { client } = stage;
      const address = await stage.listen({ highWaterMark: 7 }, (socket) => {
        stage.server.note(`${socket.readableHighWaterMark} ${socket.writableHighWaterMark}`);
        socket.resume().end();
      });
      const socket = stage.quiet(address, { highWaterMark: 10 });
      client.watch(socket, { except: ["ready"] });
      client.note(`${socket.readableHighWaterMark} ${socket.writableHighWaterMark}`);
      client.attempt("write of nine", () => socket.write("123456789"));
      client.attempt("write of one", () => socket.write("0"));
      await stage.settled();
    },
  },
  {
    name: "without highWaterMark Node's own default holds",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        stage.server.note(`${socket.readableHighWaterMark} ${socket.writableHighWaterMark}`);
        socket.end();
      });
      const socket = stage.connect(address);
      stage.client.note(`${socket.readableHighWaterMark} ${socket.writableHighWaterMark}`);
      await stage.settled();
    },
  },
  {
    name: "10,000 small writes come in order",
    async run(stage) {
      const socket = stage.connect(await stage.listen());
      for (let i = 0; i < 10_000; i++) socket.write(`${i};`);
      socket.end();
      await stage.settled();
      stage.server.note(`${stage.accepted[0]!.bytesRead} bytes read`);
    },
  },
  {
    name: "8 MiB are echoed whole",
    async run(stage) {
      const address = await stage.listen({}, (socket) => void socket.pipe(socket));
      const socket = stage.quiet(address);
      stage.client.watch(socket, { except: ["drain", "finish"] });
      for (let i = 0; i < 128; i++) socket.write(Buffer.alloc(65536, `chunk ${i}`));
      socket.end();
      await stage.settled();
      stage.client.note(`${socket.bytesWritten} bytes written, ${socket.bytesRead} read`);
    },
  },
  {
    name: "both sides write at once and nothing is lost",
    async run(stage) {
      const send = (socket: NodeJS.WritableStream, letter: string) => {
        for (let i = 0; i < 32; i++) socket.write(Buffer.alloc(65536, letter));
        socket.end();
      };
      const address = await stage.listen({}, (socket) => {
        stage.server.watch(socket, { except: ["drain", "finish"] });
        send(socket, "s");
      });
      const socket = stage.quiet(address, { allowHalfOpen: true });
      stage.client.watch(socket, { except: ["drain", "finish"] });
      send(socket, "c");
      await stage.settled();
    },
  },
  {
    name: "many clients at once each get their own answer",
    async run(stage) {
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
      const sockets = Array.from({ length: 20 }, () => stage.quiet(address));
      for (const [i, socket] of sockets.entries()) {
        stage.watchApart(`client ${i}`, socket);
        socket.end(`I am ${i}`);
      }
      await stage.settled(20);
    },
  },
  {
    name: "writableNeedDrain is false before anything waits and after a reset connection",
    async run(stage) {
      const socket = stage.quiet(await stage.listen({}, tolerate));
      stage.client.note(`${socket.writableNeedDrain}`);
      socket.write(Buffer.alloc(1 << 17));
      stage.client.note(`${socket.writableNeedDrain}`);
      socket.destroy();
      stage.client.note(`${socket.writableNeedDrain}`);
      await closed(socket);
    },
  },
];
