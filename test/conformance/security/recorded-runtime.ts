import type { DatagramSocket } from "../../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";

/** Is shown a copy of each datagram. */
export type Recorder = (data: Uint8Array, way: "sent" | "received") => void;

/** The same runtime, whose datagrams are recorded. */
export function recordedRuntime(runtime: Runtime, record: Recorder): Runtime {
  const { bindDatagram } = runtime;
  if (!bindDatagram) return runtime;
  return { ...runtime, bindDatagram: async (options) => recorded(await bindDatagram(options), record) };
}

function recorded(socket: DatagramSocket, record: Recorder): DatagramSocket {
  return {
    local: socket.local,
    maxPayload: socket.maxPayload,
    receiveBufferSize: socket.receiveBufferSize,
    send(data, remote, ttl) {
      record(Uint8Array.from(data), "sent");
      return socket.send(data, remote, ttl);
    },
    attach: (sink) =>
      socket.attach({
        onDatagram(data, remote) {
          record(Uint8Array.from(data), "received");
          sink.onDatagram(data, remote);
        },
        onDrain: () => sink.onDrain?.(),
        onSendError: (code, remote) => sink.onSendError?.(code, remote),
        onClose: (error) => sink.onClose?.(error),
      }),
    close: () => socket.close(),
    ref: () => socket.ref(),
    unref: () => socket.unref(),
  };
}
