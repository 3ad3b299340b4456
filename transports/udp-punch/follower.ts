import { type Drive, drive } from "../../src/base/drive.ts";
import type { Datagram, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { addressKey } from "../../src/nat/candidate.ts";
import type { CheckCodec } from "../../src/nat/check.ts";
import { Follow, type FollowEvent } from "../../src/nat/follow.ts";
import type { ReachOf } from "../../src/nat/reach.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import type { PunchPort } from "./punch-port.ts";
import type { CheckSession, PunchPorts } from "./punch-ports.ts";

/** Keeps one punched connection with its peer when that one's NAT gives it another outer endpoint. */
export class Follower implements CheckSession {
  readonly user: string;
  /** Ours, by which the peer may name the connection in a dialog; and the peer's, by which we may. */
  readonly password: string;
  readonly remotePassword: string;
  readonly #follow: Follow;
  readonly #ports: PunchPorts;
  readonly port: PunchPort;
  readonly #connection: UtpConnection;
  readonly #runtime: Runtime;
  readonly #reach: ReachOf;
  readonly #drive: Drive;
  #release: () => void;

  constructor(
    codec: CheckCodec,
    ports: PunchPorts,
    port: PunchPort,
    connection: UtpConnection,
    runtime: Runtime,
    reach: ReachOf,
  ) {
    this.#reach = reach;
    this.user = codec.local.user;
    this.password = codec.local.password;
    this.remotePassword = codec.remotePassword ?? "";
    this.#ports = ports;
    this.port = port;
    this.#connection = connection;
    this.#runtime = runtime;
    this.#follow = new Follow(codec, runtime.random, connection.remote);
    this.#drive = drive<FollowEvent, Datagram>(
      this.#follow,
      runtime.clock,
      (datagram) => port.send(datagram),
      ({ remote }) => this.move(remote),
    );
    this.#drive.unref();
    this.#release = port.admit(connection.remote);
    ports.join(this);
    ports.watch(port.via, connection.receiveId, this);
  }

  /** uTP with the connection's id has come from an address that nobody was admitted from. */
  suspect(remote: SocketAddress): void {
    if (this.#reach(remote.address) === "forbidden") return;
    this.#follow.suspect(remote, this.#runtime.clock.now());
    this.#drive.wake();
    this.#ports.expectAnswers(this, this.#follow.asking);
  }

  awaits(id: string): boolean {
    return this.#follow.awaits(id);
  }

  receiveCheck(data: Uint8Array, { address, port }: SocketAddress, via: number): boolean {
    if (via !== this.port.via) return false;
    const now = this.#runtime.clock.now();
    const ours = this.#follow.handleDatagram({ data, remote: { address, port } }, now);
    this.#drive.wake();
    this.#ports.expectAnswers(this, this.#follow.asking);
    return ours;
  }

  /** The peer has proved that it is there now. */
  move(remote: SocketAddress): void {
    this.#follow.moved(remote);
    if (addressKey(remote) === addressKey(this.#connection.remote)) return;
    if (!this.port.host.endpoint.move(this.#connection, remote)) return;
    this.#release();
    this.#release = this.port.admit(remote);
    this.#runtime.log("udp-punch: the peer has moved to %s port %d", remote.address, remote.port);
  }

  /** The connection is over. */
  close(): void {
    this.#drive.stop();
    this.#release();
    this.#ports.leave(this);
    this.#ports.unwatch(this.port.via, this.#connection.receiveId, this);
  }
}
