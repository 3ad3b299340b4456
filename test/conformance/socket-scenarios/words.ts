import { signaling, type Transport, transports } from "1tp";
import { MODEL_USER } from "../../kit/turn-model.ts";
import { machineWithTurn } from "../security/places.ts";

const meeting = { signaling: new signaling.local() };
const turn = await machineWithTurn();

/** Transports that need nothing but this process and this machine, by their words. */
export const WORDS = {
  memory: () => new transports.memory(),
  tcp: () => new transports.tcp(),
  udp: () => new transports.udp(),
  websocket: () => new transports.websocket(),
  webrtc: () => new transports.webrtc({ ...meeting, config: { iceServers: [] } }),
  relay: () => new transports.relay(meeting),
  "udp-punch": () => new transports["udp-punch"](meeting),
  "tcp-punch": () => new transports["tcp-punch"](meeting),
  turn: () =>
    new transports.turn({
      ...meeting,
      turnServer: turn.turn!.address,
      turnPort: turn.turn!.port,
      turnUsername: MODEL_USER.username,
      turnPassword: MODEL_USER.password,
    }),
} satisfies Readonly<Record<string, () => Transport>>;
