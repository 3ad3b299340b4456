import { nextTurn } from "#platform";
import { nodeError, systemError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { dialogOf } from "../registrar/relay-frame.ts";
import type { RegistrarConnection } from "./connection.ts";
import { type RelayCarrier, RelayLink } from "./relay-link.ts";

/** The channels that are relayed over one connection to a registrar. */
export class Relays implements RelayCarrier {
  readonly #connection: RegistrarConnection;
  readonly #onChange: () => void;
  /** By dialog. */
  readonly #links = new Map<number, RelayLink>();

  /** `onChange`: `size` or `referenced` may have changed. */
  constructor(connection: RegistrarConnection, onChange: () => void) {
    this.#connection = connection;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#links.size;
  }

  /** Some of them keep the process alive. */
  get referenced(): boolean {
    for (const link of this.#links.values()) if (link.referenced) return true;
    return false;
  }

  get lent(): boolean {
    return this.#connection.lent;
  }

  /** Asks for the channel of a dialog. @throws ERR_INVALID_STATE for the second time. */
  open(dialog: number, remote: Endpoint): Channel {
    if (this.#links.has(dialog)) {
      throw nodeError("ERR_INVALID_STATE", "The dialog has been relayed already");
    }
    const link = new RelayLink(dialog, this, remote);
    if (!this.#connection.ready) {
      nextTurn(() => link.lose(systemError("ECONNRESET", "read")));
      return link.channel;
    }
    this.#links.set(dialog, link);
    this.#connection.send({ type: "relay", dialog });
    this.#onChange();
    return link.channel;
  }

  /** Both sides want the channel. */
  join(dialog: number): void {
    this.#links.get(dialog)?.join();
  }

  receive(frame: Uint8Array): void {
    this.#links.get(dialogOf(frame))?.receive(frame);
  }

  /** The connection can take more: another one comes first each time. */
  drained(): void {
    for (const [dialog, link] of this.#links) {
      this.#links.delete(dialog);
      this.#links.set(dialog, link);
      break;
    }
    for (const link of [...this.#links.values()]) link.drained();
  }

  /** The connection is gone. */
  lose(error: Error): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const link of links) link.lose(error);
  }

  sendRelayed(frame: Uint8Array): void {
    if (this.#connection.ready) this.#connection.sendRelayed(frame);
  }

  endRelay(dialog: number): void {
    if (this.#links.delete(dialog)) this.#onChange();
  }

  updateRef(): void {
    this.#onChange();
  }
}
