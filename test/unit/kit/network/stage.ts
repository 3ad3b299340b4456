import type { DatagramSocket } from "../../../../src/contract/datagram-socket.ts";
import type { Host, HostOptions } from "../../../kit/network/host.ts";
import { Network } from "../../../kit/network.ts";

/** A sink that writes down what it hears. */
export function listen(socket: DatagramSocket): string[] {
  const heard: string[] = [];
  socket.attach({
    onDatagram: (data, remote) => heard.push(`${Buffer.from(data)} from ${remote.address} ${remote.port}`),
    onDrain: () => heard.push("drain"),
    onSendError: (code, remote) => heard.push(`${code} ${remote?.address} ${remote?.port}`),
    onClose: (error) => heard.push(error ? `closed ${error.message}` : "closed"),
  });
  return heard;
}

export function text(words: string): Uint8Array {
  return Buffer.from(words);
}

/** Two hosts on one LAN, IPv4, IPv6 and link-local. */
export function lan(options: Partial<HostOptions> = {}) {
  const network = new Network();
  const segment = network.segment({ name: "lan" });
  const [a, b] = ["a", "b"].map((name, index) => {
    const host = network.host({ name, ...options });
    const id = index + 1;
    host.attach(segment, { addresses: [`192.168.0.${id}/24`, `fd00::${id}/64`, `fe80::${id}/64`] });
    return host;
  }) as [Host, Host];
  const bind = (host: Host, address: string, port?: number) =>
    host.runtime.bindDatagram!({ address, ...(port === undefined ? {} : { port }) });
  return { network, segment, a, b, bind };
}
