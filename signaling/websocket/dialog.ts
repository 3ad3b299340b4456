import { nextTurn } from "#platform";
import { DialogInbox } from "../../src/base/dialog-inbox.ts";
import { nodeError } from "../../src/base/errors.ts";
import { canonicalIp, ipScope } from "../../src/base/ip.ts";
import { decodeSignal, encodeSignal } from "../../src/base/signal.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Dialog, DialogSink } from "../../src/contract/dialog.ts";
import type { Endpoint, Json } from "../../src/contract/endpoint.ts";
import type { Refusal } from "../registrar/protocol.ts";
import { refusalError } from "./refusal.ts";

/** An address that a registrar observed, in its canonical form; undefined if it says nothing. */
export function usableAddress(address: string): string | undefined {
  return ipScope(address) === "unspecified" ? undefined : canonicalIp(address);
}

/** What carries a dialog. */
export interface DialogCarrier {
  sendSignal(dialog: number, body: string): void;
  /** The dialog has ended here. */
  endDialog(dialog: number, refusal?: Refusal): void;
  /** Absent where the registrar does not relay. */
  relay?(dialog: number, remote: Endpoint): Channel;
}

/** This end of a dialog over a registrar. */
export class RegistrarDialog implements Dialog {
  readonly relay?: (remote: Endpoint) => Channel;
  readonly #id: number;
  readonly #carrier: DialogCarrier;
  readonly #inbox = new DialogInbox(nextTurn);
  #observedAddress: string | undefined;

  constructor(id: number, carrier: DialogCarrier, observedAddress?: string) {
    this.#id = id;
    this.#carrier = carrier;
    this.observedAddress = observedAddress;
    if (carrier.relay) this.relay = (remote) => carrier.relay!(id, remote);
  }

  get observedAddress(): string | undefined {
    return this.#observedAddress;
  }

  /** What the registrar says; anything but a usable address is none. */
  set observedAddress(address: string | undefined) {
    this.#observedAddress = address === undefined ? undefined : usableAddress(address);
  }

  async send(body: Json): Promise<void> {
    if (this.#inbox.ended) throw nodeError("ERR_STREAM_DESTROYED", "The dialog is closed");
    this.#carrier.sendSignal(this.#id, encodeSignal(body));
  }

  attach(sink: DialogSink): void {
    this.#inbox.attach(sink);
  }

  close(): void {
    if (this.#inbox.ended) return;
    this.#inbox.end();
    this.#carrier.endDialog(this.#id);
  }

  /** A signal has come. A body that is no JSON is none. */
  receive(text: string): void {
    const body = decodeSignal(text);
    if (body === undefined || this.#inbox.push(body)) return;
    const refusal = { code: "unread" } as const;
    this.#inbox.end(refusalError(refusal));
    this.#carrier.endDialog(this.#id, refusal);
  }

  /** The other side or the connection has ended it. */
  end(error?: Error): void {
    this.#inbox.end(error);
  }
}
