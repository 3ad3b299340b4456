import { fork } from "node:child_process";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { type ConnectionInfo, net, signaling, type Transport, transports } from "../../src/index.ts";
import type { Stack } from "../contest.ts";

/** The longest frame of the relay transport, for the bare one, too. */
const FRAME = 16_384;

async function startBetween(kind: "registrar" | "bare"): Promise<string> {
  const script = fileURLToPath(new URL("./relay-process.js", import.meta.url));
  const child = fork(script, [kind]);
  child.unref();
  const [url] = await once(child, "message");
  return url;
}

const transport = (url: string): Transport =>
  new transports.relay({ signaling: new signaling.websocket({ url }) });

/** The relay transport through a registrar in a process of its own. */
function relay(name: string, security: "noise" | "none"): Stack {
  let near: Transport | undefined;
  return {
    name,
    listen: async (onConnection) => {
      const url = await startBetween("registrar");
      return net.createServer([transport(url)], { security }, onConnection).listenP();
    },
    connect: async (address) => {
      const info = address as ConnectionInfo;
      near ??= transport(info[0]!.transportInfo.url as string);
      return new net.Socket([near], { security }).connectP(info);
    },
  };
}

/** Unencrypted, as the bare one is. */
export const plainRelay: Stack = relay("1tp relay", "none");

/** As connections are by default. */
export const secureRelay: Stack = relay("1tp relay, encrypted", "noise");

/** Two WebSockets that a process joins, which passes on messages of the same size. */
export const bareRelay: Stack = {
  name: "bare ws relay",
  listen: async (onConnection) => {
    const url = await startBetween("bare");
    const wait = (): void => {
      const socket = new WebSocket(`${url}/far`, { perMessageDeflate: false });
      socket.once("message", () => {
        onConnection(streamOver(socket));
        wait();
      });
    };
    wait();
    return url;
  },
  connect: async (url) => {
    const socket = new WebSocket(`${url}/near`, { perMessageDeflate: false });
    await once(socket, "message");
    return streamOver(socket);
  },
};

function streamOver(socket: WebSocket): Duplex {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write(chunk: Uint8Array, _encoding, done) {
      let at = 0;
      for (; at + FRAME < chunk.length; at += FRAME) socket.send(chunk.subarray(at, at + FRAME));
      socket.send(chunk.subarray(at), done);
    },
    final(done) {
      socket.close();
      done();
    },
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });
  socket.on("message", (message) => {
    if (!duplex.push(message)) socket.pause();
  });
  socket.on("close", () => duplex.push(null));
  socket.on("error", () => {});
  return duplex;
}
