/** An endpoint that listens and dials as it is told. Called through `kit/peer.ts`. */
import { once } from "node:events";
import { type AttemptReport, type ConnectionInfo, net, signaling, type Transport, transports } from "1tp";
import { answerCalls } from "../kit/calls.ts";

/** What the endpoint is told of its world. */
export interface Surroundings {
  /** URLs of the registrar. */
  readonly registrar: readonly string[];
  readonly turn: { readonly server: string; readonly port: number; readonly secret: string };
}

/** The transports the lab can make. */
export type Word = "udp-punch" | "tcp-punch" | "turn-udp" | "turn-tcp" | "relay";

/** What became of a dial. */
export interface Outcome {
  /** Absent if it failed. */
  readonly transport?: string;
  /** Ms from the dial to `connect`, or to the error. */
  readonly took: number;
  readonly error?: string;
  readonly attempts: readonly AttemptLine[];
}

/** One attempt of a dial. */
export type AttemptLine = Pick<AttemptReport, "transport" | "start" | "end" | "phase" | "outcome"> & {
  readonly error: string | undefined;
};

let surroundings: Surroundings;
let meeting: InstanceType<typeof signaling.websocket>;
let server: net.Server | undefined;
const made = new Map<Word, Transport>();
const served = new Set<net.Socket>();
let socket: net.Socket | undefined;

/** Once. */
function begin(given: Surroundings): void {
  surroundings = given;
  meeting = new signaling.websocket({ url: given.registrar });
}

/** One instance serves and dials, as in a program that runs for long. */
function transport(word: Word): Transport {
  const known = made.get(word) ?? make(word);
  made.set(word, known);
  return known;
}

function make(word: Word): Transport {
  if (word === "udp-punch" || word === "tcp-punch") return new transports[word]({ signaling: meeting });
  if (word === "relay") return new transports.relay({ signaling: meeting });
  const { server, port, secret } = surroundings.turn;
  const turnProtocol = word === "turn-udp" ? "udp" : "tcp";
  return new transports.turn({
    turnServer: server,
    turnPort: port,
    turnProtocol,
    turnSecret: secret,
    signaling: meeting,
  });
}

/** Serves echoes anew, and drops whom it served so far. */
async function listen(words: readonly Word[]): Promise<ConnectionInfo> {
  for (const accepted of served) accepted.destroy();
  await server?.closeP();
  server = net.createServer(words.map(transport), (accepted) => {
    served.add(accepted.once("close", () => served.delete(accepted)));
    accepted.on("error", () => accepted.destroy());
    accepted.pipe(accepted);
  });
  return server.listenP();
}

interface DialArgument {
  readonly info: ConnectionInfo;
  readonly words: readonly Word[];
  readonly timeout: number;
}

/** Dials, and keeps the connection if there is one. */
async function dial({ info, words, timeout }: DialArgument): Promise<Outcome> {
  const began = performance.now();
  const dialled = new net.Socket(words.map(transport), { connectTimeout: timeout });
  socket = dialled;
  try {
    await dialled.connectP(info);
  } catch (error) {
    return { took: performance.now() - began, error: `${(error as Error).message}`, ...lines(dialled) };
  }
  dialled.on("error", () => {});
  return { took: performance.now() - began, transport: `${dialled.transport}`, ...lines(dialled) };
}

function lines({ report }: net.Socket): Pick<Outcome, "attempts"> {
  return {
    attempts: report.map(({ transport, start, end, phase, outcome, error }) => {
      return { transport, start, end, phase, outcome, error: error?.message };
    }),
  };
}

/** Sends so many bytes, and resolves when as many are back. Ms. */
async function echo(bytes: number): Promise<number> {
  const began = performance.now();
  socket!.write(Buffer.alloc(bytes, 7));
  for (let left = bytes; left > 0; ) {
    const [chunk] = (await once(socket!, "data")) as [Uint8Array];
    left -= chunk.length;
  }
  return performance.now() - began;
}

/** Ends the connection in good order. */
async function hangUp(): Promise<void> {
  if (!socket || socket.destroyed) return;
  const closed = once(socket, "close");
  socket.end();
  socket.resume();
  await closed;
}

answerCalls({ begin, listen, dial, echo, hangUp });
