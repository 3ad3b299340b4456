import type { UtpStats } from "./options.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";

/** What a connection counts besides what its halves know. */
export class Counters {
  bytesWritten = 0;
  packetsSent = 0;
  packetsReceived = 0;

  /** Everything countable about a connection. */
  stats(sender: Sender, receiver: Receiver): UtpStats {
    const { rtt, flight, controller } = sender;
    return {
      bytesRead: receiver.bytesRead,
      bytesWritten: this.bytesWritten,
      rtt: rtt.smoothed,
      minRtt: rtt.min,
      rto: rtt.rto,
      inFlight: flight.inFlight.bytes,
      congestionWindow: controller.window(),
      peerWindow: sender.peerWindow,
      payload: sender.payload,
      packetsSent: this.packetsSent,
      packetsReceived: this.packetsReceived,
      retransmitted: sender.retransmitted,
      timeouts: sender.timeouts,
    };
  }
}
