import type { EventEmitter } from "node:events";
import type { Harness, ServerLike, SocketLike } from "./harness.ts";

/** Says one line of what a program's outcome is compared by. */
export type Say = (line: string) => void;

/** A whole process: it ends when nothing keeps it, or by an error nobody took. */
export type Program = (harness: Harness, say: Say) => void;

/**
 * The programs where a system resource has to keep the process. Not for `memory`, which has none: nobody
 * outside the process can wake it.
 */
export const KEPT_BY_THE_SYSTEM: readonly string[] = [
  "a listening server keeps its process",
  "a server with ref again keeps its process",
  "a connection keeps its process although the server is closed",
  "one connection with ref keeps its process",
];

/** Long enough for a process that nothing keeps to end; chosen. Unreferenced, it keeps nothing itself. */
const A_WHILE = 100;

function later(task: () => void): void {
  setTimeout(task, A_WHILE).unref();
}

/** A server and one connection to it. */
interface Pair {
  readonly server: ServerLike;
  readonly client: SocketLike;
  readonly accepted: SocketLike;
}

function connectPair(harness: Harness, onPair: (pair: Pair) => void): void {
  let client: SocketLike;
  let connected = false;
  let accepted: SocketLike | undefined;
  const both = (): void => {
    if (connected && accepted) onPair({ server, client, accepted });
  };
  const server = harness.createServer({}, (socket) => {
    accepted = socket;
    both();
  });
  harness.listen(server, () => {
    client = harness.createConnection(server.address(), {}, () => {
      connected = true;
      both();
    });
  });
}

function deserted(harness: Harness, onAddress: (address: unknown) => void): void {
  const server = harness.createServer();
  harness.listen(server, () => {
    const address = server.address();
    server.close(() => onAddress(address));
  });
}

/** Makes an emitter throw at one event; `done` follows each uncaught exception. */
function throwAt(emitter: EventEmitter, event: string): void {
  emitter.once(event, () => {
    throw new Error(event);
  });
}

/** One connection after the other, each with a listener that throws at another event. */
function throwEverywhere(harness: Harness, say: Say): void {
  const server = harness.createServer({}, (socket) => socket.on("error", () => {}).end("data"));
  const events = ["connect", "ready", "data", "end", "finish", "close"];
  let client: SocketLike | undefined;
  const proceed = (): void => {
    client?.destroy();
    const event = events.shift();
    if (event === undefined) {
      server.close();
      return;
    }
    client = harness.createConnection(server.address());
    throwAt(client, event);
    client.on("error", (error) => say(`error event: ${error.message}`)).resume();
  };
  process.on("uncaughtException", (error, origin) => {
    say(`${origin} ${error.message}`);
    setImmediate(proceed);
  });
  throwAt(server, "listening");
  harness.listen(server);
}

/** The programs by the facts they show. */
export const programs: Readonly<Record<string, Program>> = {
  "a process ends when all is closed"(harness, say) {
    connectPair(harness, ({ server, client, accepted }) => {
      accepted.pipe(accepted);
      client.on("data", (chunk) => {
        say(`${chunk}`);
        server.close(() => say("closed"));
      });
      client.end("done");
    });
  },
  "a listening server keeps its process"(harness, say) {
    const server = harness.createServer();
    harness.listen(server);
    later(() => {
      say("still there");
      server.close();
    });
  },
  "a server without ref lets its process end"(harness, say) {
    const server = harness.createServer();
    harness.listen(server, () => {
      server.unref();
      say("unref");
      later(() => say("still there"));
    });
  },
  "a server without ref before listen lets its process end"(harness, say) {
    const server = harness.createServer();
    server.unref();
    harness.listen(server);
    setTimeout(() => say("a timer kept it"), A_WHILE);
    setTimeout(() => say("still there"), 20 * A_WHILE).unref();
  },
  "a server with ref again keeps its process"(harness, say) {
    const server = harness.createServer();
    harness.listen(server, () => server.unref().ref());
    later(() => {
      say("still there");
      server.close();
    });
  },
  "a connection keeps its process although the server is closed"(harness, say) {
    connectPair(harness, ({ server, client, accepted }) => {
      server.close(() => say("server closed"));
      later(() => {
        say("still there");
        client.destroy();
        accepted.destroy();
      });
    });
  },
  "connections without ref let their process end"(harness, say) {
    connectPair(harness, ({ server, client, accepted }) => {
      for (const one of [server, client, accepted]) one.unref();
      say("unref");
      later(() => say("still there"));
    });
  },
  "one connection with ref keeps its process"(harness, say) {
    connectPair(harness, ({ server, client, accepted }) => {
      for (const one of [server, client, accepted]) one.unref();
      client.ref();
      later(() => {
        say("still there");
        client.destroy();
      });
    });
  },
  "an idle timeout keeps no process"(harness, say) {
    connectPair(harness, ({ server, client, accepted }) => {
      client.setTimeout(20 * A_WHILE, () => say("timeout"));
      for (const one of [server, client, accepted]) one.unref();
      say("unref");
    });
  },
  "a connection that is aborted while connecting keeps no process"(harness, say) {
    deserted(harness, (address) => {
      const controller = new AbortController();
      const client = harness.createConnection(address, { signal: controller.signal });
      client.on("error", (error) => say(`${error.name}`));
      controller.abort();
    });
  },
  "an error that nobody listens to ends the process"(harness, say) {
    deserted(harness, (address) => {
      process.on("uncaughtExceptionMonitor", (error, origin) => say(`${origin} ${codeOf(error)}`));
      harness.createConnection(address);
    });
  },
  "a reset that nobody listens to ends the process"(harness, say) {
    connectPair(harness, ({ client, accepted }) => {
      process.on("uncaughtExceptionMonitor", (error, origin) => say(`${origin} ${codeOf(error)}`));
      client.resume();
      accepted.resetAndDestroy();
    });
  },
  "what a listener throws is an uncaught exception": throwEverywhere,
  "what a connection listener throws is an uncaught exception"(harness, say) {
    const server = harness.createServer({}, (socket) => {
      socket.destroy();
      throw new Error("no guests");
    });
    process.on("uncaughtException", (error, origin) => {
      say(`${origin} ${error.message}`);
      server.close();
    });
    harness.listen(server, () => {
      harness
        .createConnection(server.address())
        .on("error", () => {})
        .resume();
    });
  },
};

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}
