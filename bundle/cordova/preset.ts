import type { Transport } from "../../src/contract/transport.ts";
import type { transports } from "../../src/index.ts";
import { registrarSignaling, signaledTransports } from "../../src/preset/registrar.ts";

/** What the device has besides UDP. */
export interface Abilities {
  /** Chrome apps. */
  readonly tcp: boolean;
}

/** What a Socket or Server in a Chrome app or in Cordova has when it is given no transports. */
export function cordovaPreset(words: typeof transports, { tcp }: Abilities): readonly Transport[] {
  const direct = [...(tcp ? [new words.tcp()] : []), new words.udp(), new words.websocket()];
  const signaling = registrarSignaling();
  if (!signaling) return direct;
  return [...direct, new words["udp-punch"]({ signaling }), ...signaledTransports(signaling)];
}
