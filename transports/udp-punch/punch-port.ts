import { ExpiringMap } from "../../src/base/expiring-map.ts";
import { ipFamily } from "../../src/base/ip.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { DatagramSink, DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { hostAddresses } from "../../src/host/host-addresses.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { StunPort } from "../../src/host/stun-port.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { addressKey, type NatCandidate } from "../../src/nat/candidate.ts";
import type { PunchDatagram } from "../../src/nat/punch-event.ts";
import { classOf } from "../../src/stun/message.ts";

/** A peer may still send that long after it was let go: a last packet that comes again, a first one that was lost (chosen: as uTP). */
export const LEAVING: Millis = 20_000;
const MAX_LEAVING = 1024;

/** Whoever the checks that come to a port are for. */
export interface CheckReceiver {
  /** STUN that came in. True if it was theirs. */
  receiveCheck(data: Uint8Array, remote: SocketAddress, via: number): boolean;
  /** uTP that came from where nobody was admitted; it is dropped. */
  receiveStray(data: Uint8Array, remote: SocketAddress, via: number): void;
  /** The socket is closed. */
  portClosed(via: number): void;
}

/**
 * One UDP socket that punches: STUN goes to the punches and to our own questions to servers, uTP to its host, but only from those who have
 * been admitted. So nobody who has not come through a dialog reaches uTP, and nobody is told that it is there.
 */
export class PunchPort {
  readonly via: number;
  readonly shared: SharedHost;
  /** Asks servers from this socket. */
  readonly stun: StunPort;
  /** uTP from others, dropped. */
  strangers = 0;
  readonly #receiver: CheckReceiver;
  readonly #admitted = new Map<string, number>();
  readonly #leaving = new ExpiringMap<true>(LEAVING, MAX_LEAVING);
  readonly #runtime: Runtime;
  #last: SocketAddress | undefined;

  constructor(socket: DatagramSocket, via: number, runtime: Runtime, receiver: CheckReceiver) {
    this.via = via;
    this.#runtime = runtime;
    this.#receiver = receiver;
    const host = new UtpHost(socket, runtime);
    this.shared = new SharedHost(host);
    this.stun = new StunPort(socket, runtime);
    host.demultiplexer.utp = this.#gate(host);
    host.demultiplexer.stun = this.#checks(this.stun);
  }

  get host(): UtpHost {
    return this.shared.host;
  }

  get socket(): DatagramSocket {
    return this.shared.host.socket;
  }

  /** Lets uTP from there in. Returns what ends that: a little later, as what is under way has to come in. */
  admit(remote: SocketAddress): () => void {
    const key = addressKey(remote);
    this.#admitted.set(key, (this.#admitted.get(key) ?? 0) + 1);
    let held = true;
    return () => {
      if (held) this.#release(key);
      held = false;
    };
  }

  #release(key: string): void {
    const count = this.#admitted.get(key)! - 1;
    if (count > 0) this.#admitted.set(key, count);
    else this.#admitted.delete(key);
    this.#last = undefined;
    this.#leaving.set(key, true, this.#runtime.clock.now());
  }

  #gate(host: UtpHost): DatagramSink {
    return {
      onDatagram: (data, remote) => {
        if (this.#isAdmitted(remote)) host.onDatagram(data, remote);
        else this.#turnAway(data, remote);
      },
      onDrain: () => host.onDrain(),
      onSendError: (code, remote) => host.onSendError(code, remote),
      onClose: (error) => {
        host.onClose(error);
        this.#receiver.portClosed(this.via);
      },
    };
  }

  #turnAway(data: Uint8Array, remote: SocketAddress): void {
    this.strangers++;
    this.#receiver.receiveStray(data, remote, this.via);
  }

  /** Bulk traffic comes in runs from one address. */
  #isAdmitted(remote: SocketAddress): boolean {
    const last = this.#last;
    if (last && last.port === remote.port && last.address === remote.address) return true;
    const key = addressKey(remote);
    if (!this.#admitted.has(key)) return this.#leaving.get(key, this.#runtime.clock.now()) ?? false;
    this.#last = { address: remote.address, port: remote.port };
    return true;
  }

  #checks(stun: StunPort): DatagramSink {
    return {
      onDatagram: (data, remote) => {
        const ours = this.#receiver.receiveCheck(data, remote, this.via);
        if (!ours && classOf(data) !== "request") stun.onDatagram(data, remote);
      },
      onDrain: () => stun.onDrain(),
      onSendError: (code, remote) => stun.onSendError(code, remote),
      onClose: (error) => stun.onClose(error),
    };
  }

  send({ data, remote, ttl }: Omit<PunchDatagram, "via">): void {
    this.socket.send(data, remote, ttl);
  }
}

/** The own addresses a socket on the wildcard address of its family has. */
export function hostCandidates(
  { local: { address, port } }: DatagramSocket,
  runtime: Pick<Runtime, "interfaces">,
): readonly NatCandidate[] {
  const own = hostAddresses(ipFamily(address) === 6 ? 6 : 4, runtime);
  return own.map((address) => ({ kind: "host", address, port }));
}
