import { environment } from "#platform";
import { TcpTransport } from "../../transports/tcp/index.ts";
import { TcpPunchTransport } from "../../transports/tcp-punch/index.ts";
import { TurnTransport } from "../../transports/turn/index.ts";
import { UdpTransport } from "../../transports/udp/index.ts";
import { UdpPunchTransport } from "../../transports/udp-punch/index.ts";
import type { Signaling } from "../contract/dialog.ts";
import type { Transport } from "../contract/transport.ts";
import { ofVariables } from "./environment.ts";
import { registrarSignaling, signaledTransports } from "./registrar.ts";

/** What a Socket or Server in Node has when it is given no transports. */
export function nodePreset(): readonly Transport[] {
  const direct = [new TcpTransport(), new UdpTransport()];
  const signaling = registrarSignaling();
  if (!signaling) return direct;
  const punches = [new UdpPunchTransport({ signaling }), new TcpPunchTransport({ signaling })];
  return [...direct, ...punches, ...signaledTransports(signaling), ...turnTransports(signaling)];
}

/** TURN, if all four variables of the earlier 1tp are set. */
function turnTransports(signaling: Signaling): readonly Transport[] {
  const [turnServer, port, turnUsername, turnPassword] = ["ADDR", "PORT", "USER", "PASS"].map((name) =>
    environment(`TURN_${name}`),
  );
  if (!turnServer || !port || !turnUsername || !turnPassword) return [];
  const options = { turnServer, turnPort: Number(port), turnUsername, turnPassword, signaling };
  return [ofVariables("TURN_ADDR, TURN_PORT, TURN_USER, TURN_PASS", () => new TurnTransport(options))];
}
