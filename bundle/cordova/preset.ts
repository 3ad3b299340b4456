import type { Transport } from "../../src/contract/transport.ts";
import type { transports } from "../../src/index.ts";

/** What the device has besides UDP. */
export interface Abilities {
  /** Chrome apps. */
  readonly tcp: boolean;
}

/** What a Socket or Server in a Chrome app or in Cordova has when it is given no transports. */
export function cordovaPreset(words: typeof transports, { tcp }: Abilities): readonly Transport[] {
  return [...(tcp ? [new words.tcp()] : []), new words.udp(), new words.websocket()];
}
