import { Readable, Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { closed, next, type Scenario, type Stage, tolerate } from "./stage.ts";
import { codeOf } from "./track.ts";

/** A server that sends this and ends. */
function sender(stage: Stage, body: string) {
  return stage.listen({}, (socket) => {
    tolerate(socket);
    socket.end(body);
  });
}

/** A server that echoes. */
function echo(stage: Stage) {
  return stage.listen({ allowHalfOpen: true }, (socket) => {
    tolerate(socket);
    socket.pipe(socket);
  });
}

/** What Node's stream tools make of a socket. */
export const streaming: readonly Scenario[] = [
  {
    name: "for await gives everything and leaves the socket destroyed",
    async run(stage) {
      const socket = stage.quiet(await sender(stage, "one by one"));
      stage.client.watch(socket, { except: ["data", "end", "finish"] });
      const loop = stage.track("loop");
      for await (const chunk of socket) loop.data(chunk);
      loop.note("the loop is over");
      await stage.settled();
      loop.note(`${socket.destroyed} ${socket.readableEnded} ${socket.errored}`);
    },
  },
  {
    name: "for await with an encoding gives strings",
    async run(stage) {
      const socket = stage.quiet(await sender(stage, "some text"));
      for await (const chunk of socket.setEncoding("utf8")) stage.client.data(chunk);
      await stage.settled();
    },
  },
  {
    name: "break leaves for await with the socket destroyed",
    async run(stage) {
      const socket = stage.quiet(await echo(stage));
      stage.client.watch(socket, { except: ["data"] });
      socket.write("one");
      for await (const chunk of socket) {
        stage.client.data(chunk);
        break;
      }
      stage.client.state("after the loop", socket);
      await stage.settled();
    },
  },
  {
    name: "for await throws what the socket is destroyed with",
    async run(stage) {
      const socket = stage.quiet(await echo(stage));
      stage.client.watch(socket, { except: ["data"] });
      socket.write("one");
      try {
        for await (const chunk of socket) {
          stage.client.data(chunk);
          socket.destroy(new Error("out of patience"));
        }
      } catch (error) {
        stage.track("loop").note(`thrown: ${codeOf(error)}`);
      }
      await stage.settled();
    },
  },
  {
    name: "for await throws a premature close when the socket is destroyed without an error",
    async run(stage) {
      const socket = stage.quiet(await echo(stage));
      socket.write("one");
      try {
        for await (const chunk of socket) {
          stage.client.data(chunk);
          socket.destroy();
        }
      } catch (error) {
        stage.track("loop").note(`thrown: ${codeOf(error)}`);
      }
      await closed(socket);
    },
  },
  {
    name: "for await throws the reset of the peer",
    async run(stage) {
      const address = await stage.listen({}, (socket) => {
        socket.on("data", () => socket.resetAndDestroy());
      });
      const socket = stage.quiet(address);
      socket.write("go");
      stage.client.watch(socket, { except: ["data"] });
      try {
        for await (const chunk of socket) stage.client.data(chunk);
      } catch (error) {
        stage.track("loop").note(`thrown: ${codeOf(error)}`);
      }
      await stage.settled();
    },
  },
  {
    name: "pipeline through a transform and back resolves at both ends",
    async run(stage) {
      const { server } = stage;
      let served: Promise<void> | undefined;
      const address = await stage.listen({ allowHalfOpen: true }, (socket) => {
        const upper = new Transform({
          transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()),
        });
        served = server.outcome("pipeline", pipeline(socket, upper, socket));
      });
      const socket = stage.quiet(address);
      stage.watchApart("client", socket);
      const source = Readable.from(["make ", "this ", "loud"]);
      await stage.track("pipeline").outcome("pipeline", pipeline(source, socket));
      await stage.settled();
      await served;
    },
  },
  {
    name: "pipeline from a source that fails destroys the socket",
    async run(stage) {
      const socket = stage.quiet(await echo(stage));
      async function* source() {
        yield "one";
        throw new Error("the source is dry");
      }
      stage.client.watch(socket, { except: ["data", "connect", "ready"] });
      await stage.track("outcome").outcome("pipeline", pipeline(source, socket));
      await closed(socket);
      stage.client.state("closed", socket);
    },
  },
  {
    name: "pipeline into a socket that is refused rejects with the refusal",
    async run(stage) {
      const socket = stage.connect(await stage.deserted());
      await stage.track("outcome").outcome("pipeline", pipeline(Readable.from(["lost"]), socket));
      await closed(socket);
    },
  },
  {
    name: "pipeline with gzip arrives whole",
    async run(stage) {
      const body = "all work and no play ".repeat(20_000);
      const address = await stage.listen({ allowHalfOpen: true }, (socket) =>
        pipeline(socket, createGunzip(), socket),
      );
      const socket = stage.quiet(address);
      const [, back] = await Promise.all([
        pipeline(Readable.from([body]), createGzip(), socket),
        text(socket),
      ]);
      stage.client.note(`${back.length} characters, ${back === body ? "the same" : "others"}`);
      await stage.settled();
    },
  },
  {
    name: "finished resolves after a close in good order",
    async run(stage) {
      const socket = stage.quiet(await sender(stage, "bye"));
      const outcome = stage.track("outcome").outcome("finished", finished(socket));
      socket.resume();
      await outcome;
      await stage.settled();
    },
  },
  {
    name: "finished rejects when the socket is destroyed too early",
    async run(stage) {
      const socket = stage.quiet(await echo(stage));
      const outcome = stage.track("outcome").outcome("finished", finished(socket));
      await next(socket, "ready");
      socket.destroy();
      await outcome;
      await stage.settled();
    },
  },
  {
    name: "finished rejects with the refusal",
    async run(stage) {
      const socket = stage.quiet(await stage.deserted());
      await stage.track("outcome").outcome("finished", finished(socket));
      await closed(socket);
    },
  },
  {
    name: "finished of the writing side alone resolves at finish",
    async run(stage) {
      const socket = stage.quiet(await echo(stage), { allowHalfOpen: true });
      const outcome = stage.track("outcome").outcome("finished", finished(socket, { readable: false }));
      socket.end("x");
      await outcome;
      stage.client.note(await text(socket));
      await stage.settled();
    },
  },
  {
    name: "toArray and map work as on every readable",
    async run(stage) {
      const socket = stage.quiet(await sender(stage, "a b c"));
      const words = await socket
        .setEncoding("utf8")
        .map((chunk: string) => chunk.toUpperCase())
        .toArray();
      stage.client.note(words.join(""));
      await stage.settled();
    },
  },
  {
    name: "Symbol.asyncDispose of a socket destroys it where Node's streams have it",
    async run(stage) {
      const socket = stage.quiet(await echo(stage));
      stage.client.watch(socket, { except: ["connect", "ready"] });
      await next(socket, "ready");
      await stage.arrival();
      const dispose = socket[Symbol.asyncDispose];
      stage.client.note(typeof dispose);
      if (dispose) await stage.track("outcome").outcome("dispose", dispose.call(socket));
      else socket.destroy();
      stage.track("outcome").state("disposed", socket);
      await stage.settled();
    },
  },
];
