import { LocalSignaling } from "../../../signaling/local/index.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import { MemoryTransport } from "../../../transports/memory/index.ts";
import { RelayTransport } from "../../../transports/relay/index.ts";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { TcpPunchTransport } from "../../../transports/tcp-punch/index.ts";
import { TurnTransport } from "../../../transports/turn/index.ts";
import { UdpTransport } from "../../../transports/udp/index.ts";
import { UdpPunchTransport } from "../../../transports/udp-punch/index.ts";
import { WebRtcTransport } from "../../../transports/webrtc/index.ts";
import { WebSocketTransport } from "../../../transports/websocket/index.ts";
import { MODEL_USER } from "../../kit/turn-model.ts";
import {
  internetWithoutTime,
  loopback,
  machine,
  machineWithTurn,
  memoryWithoutTime,
  type Place,
  type TimelessPlace,
  withoutTime,
} from "./places.ts";

/** A transport that the tests of this room are played over. */
export interface Wire {
  readonly word: string;
  create(place: Place): Transport;
  /** This machine, in real time. */
  readonly place: Place;
}

/** One that is played in no time as well. */
export interface TimelessWire extends Wire {
  timeless(): TimelessPlace;
}

const signaling = new LocalSignaling();

/** Every transport but `webrtc`, whose packages have clocks of their own: a new one joins by its line. */
export const TIMELESS_WIRES: readonly TimelessWire[] = [
  { word: "memory", create: () => new MemoryTransport(), place: machine, timeless: memoryWithoutTime },
  {
    word: "tcp",
    create: () => new TcpTransport(),
    place: loopback("tcp"),
    timeless: () => withoutTime(loopback("tcp")),
  },
  { word: "udp", create: () => new UdpTransport(), place: loopback("udp"), timeless: internetWithoutTime },
  {
    word: "websocket",
    create: () => new WebSocketTransport(),
    place: loopback("websocket"),
    timeless: () => withoutTime(loopback("websocket")),
  },
  {
    word: "udp-punch",
    create: () => new UdpPunchTransport({ signaling }),
    place: machine,
    timeless: internetWithoutTime,
  },
  {
    word: "tcp-punch",
    create: () => new TcpPunchTransport({ signaling }),
    place: machine,
    timeless: () => withoutTime(machine),
  },
  {
    word: "turn",
    create: ({ turn }) =>
      new TurnTransport({
        turnServer: turn!.address,
        turnPort: turn!.port,
        turnUsername: MODEL_USER.username,
        turnPassword: MODEL_USER.password,
        signaling,
      }),
    place: await machineWithTurn(),
    timeless: internetWithoutTime,
  },
  {
    word: "relay",
    create: () => new RelayTransport({ signaling }),
    place: machine,
    timeless: () => withoutTime(machine),
  },
];

/** Every transport. */
export const WIRES: readonly Wire[] = [
  ...TIMELESS_WIRES,
  {
    word: "webrtc",
    create: () => new WebRtcTransport({ signaling, config: { iceServers: [] } }),
    place: machine,
  },
];

/** Whether its ends meet by dialogs, which lead to whoever has the key or nowhere. */
export const isSignaled = ({ create, place }: Wire): boolean => create(place).traits.signaled;
