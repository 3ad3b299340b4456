import type { DatagramSink, DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";

/**
 * Shares one UDP port between uTP, STUN and TURN: by source for claimed servers, then by STUN's magic cookie
 * and length, then by uTP's version nibble and type. The rest is counted.
 */
export declare class Demultiplexer {
  constructor(socket: DatagramSocket);
  /** Where uTP goes. */
  utp: DatagramSink | undefined;
  /** Where STUN from any other source goes. */
  stun: DatagramSink | undefined;
  /** Everything from `source` goes to `sink` (a TURN server). Returns the release. */
  claim(source: SocketAddress, sink: DatagramSink): () => void;
}
