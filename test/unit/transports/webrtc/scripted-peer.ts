import { EventEmitter } from "node:events";
import type { Peer, PeerSignal } from "../../../../transports/webrtc/peer.ts";

/** Stands in for simple-peer: keeps what it is told, and does what the test says. */
export class ScriptedPeer extends EventEmitter implements Peer {
  readonly signals: PeerSignal[] = [];
  readonly sent: (string | Uint8Array)[] = [];
  remoteAddress = "";
  remotePort = 0;
  bufferSize = 0;
  destroyed = false;
  stats: readonly object[] = [];
  /** What the next signal throws, if anything. */
  complaint: Error | undefined;

  signal(signal: PeerSignal): void {
    this.signals.push(signal);
    if (this.complaint) throw this.complaint;
  }

  send(message: string | Uint8Array): void {
    if (this.destroyed) throw new Error("cannot send after peer is destroyed");
    this.sent.push(message);
  }

  getStats(callback: (error: Error | null, items: readonly object[]) => void): void {
    callback(null, this.stats);
  }

  /** As simple-peer does: what follows comes later. */
  destroy(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => {
      if (error) this.emit("error", error);
      this.emit("close");
    });
  }
}
