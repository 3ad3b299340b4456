import { DATA, STATE } from "../../../src/utp/packet.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

/** A connection we dialled, with the peer's next packets made easy. */
export function connected(window = 100_000) {
  const peer = new ScriptedPeer();
  const dialled = peer.dialled(window);
  const { id, seq, peerSeq } = dialled;
  return {
    ...dialled,
    peer,
    /** The peer acknowledges everything up to the `count`th packet we sent. */
    acknowledge: (count: number, more: { window?: number; sack?: number[] } = {}) => {
      const extensions = more.sack ? [[1, Uint8Array.from(more.sack)] as const] : [];
      const ack = (seq + count - 1) & 0xffff;
      peer.send({ type: STATE, id, seq: peerSeq, ack, window: more.window ?? window, extensions });
    },
    data: (offset: number, payload: string | Uint8Array, type = DATA) => {
      peer.send({ type, id, seq: peerSeq + offset, ack: seq - 1, window, payload });
    },
  };
}
