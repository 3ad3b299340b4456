import { socketEndpoint, withoutZone } from "../../src/base/socket-address.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { type BindDatagram, localAddressFor } from "../../src/host/local-sockets.ts";
import type { SharedHost } from "../../src/host/shared-host.ts";
import { UtpChannel } from "../../src/host/utp-channel.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import type { ConnectionOptions } from "../../src/utp/options.ts";
import type { DialPorts } from "./dial-ports.ts";

/** What dialling and listening share. */
export interface UdpParts {
  readonly bind: BindDatagram;
  readonly ports: UdpPorts;
  readonly dialPorts: DialPorts;
  readonly bufferSize: number;
  readonly connection: ConnectionOptions;
}

/** The ports one transport listens on, which its dials leave from. */
export class UdpPorts {
  readonly #listening: SharedHost[] = [];

  add(shared: SharedHost): void {
    this.#listening.push(shared);
  }

  remove(shared: SharedHost): void {
    const index = this.#listening.indexOf(shared);
    if (index >= 0) this.#listening.splice(index, 1);
  }

  /** The listening port that reaches `remote`, if it is clear which one does. */
  for(remote: SocketAddress, runtime: Runtime): SharedHost | undefined {
    if (this.#listening.length === 0) return undefined;
    const own = this.#listening.map((shared) => shared.host.socket.local.address);
    const address = localAddressFor(remote.address, [...new Set(own)], runtime.interfaces());
    return this.#listening.find((shared) => shared.host.socket.local.address === address);
  }
}

/** How a UDP address stands in connectionInfo. */
export function udpEndpoint({ address, port }: SocketAddress): Endpoint {
  return socketEndpoint("udp", withoutZone(address), port);
}

/** A connection as a channel. */
export function udpChannel(
  shared: SharedHost,
  connection: UtpConnection,
  remote: Endpoint,
  firstFlightSent: boolean,
): UtpChannel {
  const { host } = shared;
  const local = udpEndpoint(host.socket.local);
  const keep = (referenced: boolean): void => shared.keep(referenced);
  return new UtpChannel({ host, connection, remote, local, firstFlightSent, keep });
}
