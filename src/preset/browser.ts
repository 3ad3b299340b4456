import { WebSocketTransport } from "../../transports/websocket/index.ts";
import type { Transport } from "../contract/transport.ts";
import { registrarSignaling, signaledTransports } from "./registrar.ts";

/** What a Socket or Server in a page has when it is given no transports. */
export function browserPreset(): readonly Transport[] {
  const signaling = registrarSignaling();
  return [new WebSocketTransport(), ...(signaling ? signaledTransports(signaling) : [])];
}
