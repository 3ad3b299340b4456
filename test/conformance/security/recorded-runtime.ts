import type { DatagramSocket } from "../../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";

/** The same runtime, each of whose datagrams, sent or received, is shown to `record`. */
export function recordedRuntime(runtime: Runtime, record: (data: Uint8Array) => void): Runtime {
  const { bindDatagram } = runtime;
  if (!bindDatagram) return runtime;
  return { ...runtime, bindDatagram: async (options) => recorded(await bindDatagram(options), record) };
}

function recorded(socket: DatagramSocket, record: (data: Uint8Array) => void): DatagramSocket {
  return {
    local: socket.local,
    maxPayload: socket.maxPayload,
    receiveBufferSize: socket.receiveBufferSize,
    send(data, remote, ttl) {
      record(Uint8Array.from(data));
      return socket.send(data, remote, ttl);
    },
    attach: (sink) =>
      socket.attach({
        onDatagram(data, remote) {
          record(Uint8Array.from(data));
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
