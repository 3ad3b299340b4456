import type { DatagramSink, DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import { looksLikeStun } from "../stun/message.ts";
import { looksLikePacket } from "../utp/packet.ts";

/**
 * Shares one UDP port between uTP, STUN and TURN: by source for claimed servers, then by STUN's magic cookie
 * and length, then by uTP's version nibble and type (RFC 7983's first byte does not tell uTP apart). What is nobody's is counted.
 */
export class Demultiplexer implements DatagramSink {
  /** Where uTP goes. Drain and close go to every sink. */
  utp: DatagramSink | undefined;
  /** Where STUN from any other source goes. */
  stun: DatagramSink | undefined;
  /** Where goes what is neither. */
  rest: DatagramSink | undefined;
  /** Datagrams that were nobody's. */
  dropped = 0;
  readonly #claims = new Map<string, DatagramSink>();

  /** Attaches itself to the socket. */
  constructor(socket: DatagramSocket) {
    socket.attach(this);
  }

  /** Everything from `source` goes to `sink` (a TURN server). Returns the release. */
  claim(source: SocketAddress, sink: DatagramSink): () => void {
    const key = keyOf(source);
    this.#claims.set(key, sink);
    return () => {
      if (this.#claims.get(key) === sink) this.#claims.delete(key);
    };
  }

  onDatagram(data: Uint8Array, remote: SocketAddress): void {
    const claimed = this.#claims.size === 0 ? undefined : this.#claims.get(keyOf(remote));
    const sink = claimed ?? this.#protocol(data) ?? this.rest;
    if (sink) sink.onDatagram(data, remote);
    else this.dropped++;
  }

  #protocol(data: Uint8Array): DatagramSink | undefined {
    if (looksLikeStun(data)) return this.stun;
    return looksLikePacket(data) ? this.utp : undefined;
  }

  onDrain(): void {
    for (const sink of this.#sinks()) sink.onDrain?.();
  }

  onSendError(code: string, remote: SocketAddress | undefined): void {
    const claimed = remote && this.#claims.get(keyOf(remote));
    if (claimed) claimed.onSendError?.(code, remote);
    else for (const sink of [this.utp, this.stun, this.rest]) sink?.onSendError?.(code, remote);
  }

  onClose(error?: Error): void {
    for (const sink of this.#sinks()) sink.onClose?.(error);
  }

  #sinks(): Set<DatagramSink> {
    const sinks = new Set(this.#claims.values());
    if (this.utp) sinks.add(this.utp);
    if (this.stun) sinks.add(this.stun);
    if (this.rest) sinks.add(this.rest);
    return sinks;
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
