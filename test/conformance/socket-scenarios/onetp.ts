import {
  createConnection,
  createServer,
  type Server,
  Socket,
  signaling,
  type Transport,
  transports as words,
} from "1tp";
import { MODEL_USER } from "../../kit/turn-model.ts";
import { machineWithTurn } from "../security/places.ts";
import type { Harness } from "./harness.ts";

type Info = Parameters<typeof createConnection>[0];

const meeting = { signaling: new signaling.local() };
const turn = await machineWithTurn();

/** Transports that need nothing but this process and this machine. */
const CREATE = {
  memory: () => new words.memory(),
  tcp: () => new words.tcp(),
  udp: () => new words.udp(),
  websocket: () => new words.websocket(),
  webrtc: () => new words.webrtc({ ...meeting, config: { iceServers: [] } }),
  relay: () => new words.relay(meeting),
  "udp-punch": () => new words["udp-punch"](meeting),
  turn: () =>
    new words.turn({
      ...meeting,
      turnServer: turn.turn!.address,
      turnPort: turn.turn!.port,
      turnUsername: MODEL_USER.username,
      turnPassword: MODEL_USER.password,
    }),
} satisfies Readonly<Record<string, () => Transport>>;

/** 1tp over one transport: with sessions, or without so that only the facade and the transport are compared. */
export function onetp(word: keyof typeof CREATE, security: "noise" | "none"): Harness {
  const transports = [CREATE[word]()];
  const transportInfo = word === "memory" ? {} : { address: "127.0.0.1", port: 0 };
  /** What is no object is passed on, to be refused. */
  const secured = <T>(options: T): T => (typeof options === "object" ? { ...options, security } : options);
  return {
    name: security === "noise" ? `1tp over ${word}` : `1tp over ${word} without sessions`,
    createServer: (options = {}, onConnection) => createServer(transports, secured(options), onConnection),
    listen: (server, callback) =>
      (server as Server).listen([{ transportType: word, transportInfo }], callback),
    createConnection: (address, options = {}, onConnect) =>
      createConnection(address as Info, transports, secured(options), onConnect),
    createSocket: (options = {}) => new Socket(transports, secured(options)),
    connect: (socket, address, onConnect) => (socket as Socket).connect(address as Info, onConnect),
  };
}
