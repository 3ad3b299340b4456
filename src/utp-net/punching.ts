import { type Drive, drive } from "../base/drive.ts";
import type { Clock } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Port } from "./port.ts";
import { Puncher } from "./puncher.ts";

/** Joins a Puncher to a port, beside its uTP connections. */
export class Punching {
  readonly #puncher: Puncher;
  readonly #drive: Drive;
  readonly #clock: Clock;

  constructor(port: Port, { clock, random }: Runtime) {
    this.#clock = clock;
    this.#puncher = new Puncher(random);
    this.#drive = drive(
      this.#puncher,
      clock,
      ({ data, remote }) => void port.host.socket.send(data, remote),
      ({ onDone, success }) => onDone(success),
    );
    port.onStranger = (data, remote) => {
      this.#puncher.handleDatagram({ data, remote }, clock.now());
      this.#drive.wake();
    };
  }

  /** Sends up to `attempts` probes; `onDone` is told whether one was answered. */
  punch(remote: SocketAddress, attempts: number, onDone: (success: boolean) => void): void {
    this.#puncher.start(remote, attempts, onDone, this.#clock.now());
    this.#drive.wake();
  }

  /** Ends all that go on, without success. */
  close(): void {
    this.#puncher.stop();
    this.#drive.wake();
    this.#drive.stop();
  }
}
