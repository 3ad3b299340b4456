import { ipFamily } from "../../src/base/ip.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { BindDatagram } from "../../src/host/local-sockets.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { UtpHost } from "../../src/host/utp-host.ts";

/** A socket that has heard nothing for so long takes no new dials: the network may be another one by now (chosen: a dial's time). */
const FRESH: Millis = 5000;
/** How long the port to whoever answered stays open (chosen: a loop of dials finds it open, and ports to thousands do not pile up). */
export const LINGER: Millis = 100;

/** What a port is opened with. */
export interface DialSurroundings {
  readonly bind: BindDatagram;
  readonly bufferSize: number;
  readonly runtime: Runtime;
}

/**
 * The ports that dials leave from. Only a socket connected to a remote hears that nobody is there, so each remote has one, which
 * dials and channels to it share. It closes soon after the last of them.
 */
export class DialPorts {
  readonly #ports = new Map<string, Promise<SharedHost>>();

  /** The port to `remote`; somebody has to dial from it before the turn ends. Rejects with the system's error. */
  async to(remote: SocketAddress, surroundings: DialSurroundings): Promise<SharedHost> {
    const key = `${remote.address} ${remote.port}`;
    const known = this.#ports.get(key);
    const shared = await known;
    if (shared && isFresh(shared, surroundings.runtime)) return shared;
    // Somebody else may have replaced it meanwhile.
    if (this.#ports.get(key) !== known) return this.to(remote, surroundings);
    return this.#open(key, remote, surroundings);
  }

  #open(key: string, remote: SocketAddress, surroundings: DialSurroundings): Promise<SharedHost> {
    const forget = (): void => {
      if (this.#ports.get(key) === opening) this.#ports.delete(key);
    };
    const opening = open(remote, surroundings, forget);
    this.#ports.set(key, opening);
    opening.catch(forget);
    return opening;
  }
}

async function open(
  remote: SocketAddress,
  { bind, bufferSize, runtime }: DialSurroundings,
  onClosed: () => void,
): Promise<SharedHost> {
  const address = ipFamily(remote.address) === 6 ? "::" : "0.0.0.0";
  const socket = await bind({ address, port: 0, connect: remote, bufferSize });
  const shared = new SharedHost(new UtpHost(socket, runtime));
  shared.onClosed = onClosed;
  return shared;
}

function isFresh({ host }: SharedHost, { clock }: Runtime): boolean {
  return !host.closed && clock.now() - host.heardAt < FRESH;
}
