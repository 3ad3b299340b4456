import { TcpTransport } from "../../transports/tcp/index.ts";
import { UdpTransport } from "../../transports/udp/index.ts";
import type { Transport } from "../contract/transport.ts";
import { signaledTransports } from "./registrar.ts";

/** What a Socket or Server in Node has when it is given no transports. */
export function nodePreset(): readonly Transport[] {
  return [new TcpTransport(), new UdpTransport(), ...signaledTransports()];
}
