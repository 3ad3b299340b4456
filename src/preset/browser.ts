import { WebSocketTransport } from "../../transports/websocket/index.ts";
import type { Transport } from "../contract/transport.ts";

/** What a Socket or Server in a page has when it is given no transports. */
export function browserPreset(): readonly Transport[] {
  return [new WebSocketTransport()];
}
