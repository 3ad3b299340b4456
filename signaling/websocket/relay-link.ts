import { nextTurn } from "#platform";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { LinkChannel, type MessageLink } from "../../src/host/link-channel.ts";
import { REFUSALS, type RefusalCode } from "../registrar/protocol.ts";
import {
  encodeRelayed,
  KIND,
  MAX_RELAYED,
  messageOf,
  RELAY_WINDOW,
  wordOf,
} from "../registrar/relay-frame.ts";
import { refusalError } from "./refusal.ts";

/** What carries relayed frames. */
export interface RelayCarrier {
  /** Nothing more should be sent now. */
  readonly lent: boolean;
  sendRelayed(frame: Uint8Array): void;
  /** The channel of that dialog is over. */
  endRelay(dialog: number): void;
  /** `referenced` of a link has changed. */
  updateRef(): void;
}

/** Messages to the other end of a dialog through the registrar, and the channel over them. */
export class RelayLink implements MessageLink {
  readonly maxMessage = MAX_RELAYED;
  readonly channel: LinkChannel;
  /** Keeps the process alive. */
  referenced = true;
  readonly #dialog: number;
  readonly #carrier: RelayCarrier;
  /** Words that wait for the other side to join. */
  readonly #early: string[] = [];
  #joined = false;
  #over = false;

  constructor(dialog: number, carrier: RelayCarrier, remote: Endpoint) {
    this.#dialog = dialog;
    this.#carrier = carrier;
    this.channel = new LinkChannel({ link: this, remote, window: RELAY_WINDOW });
  }

  get lent(): boolean {
    return !this.#joined || this.#carrier.lent;
  }

  send(message: string | Uint8Array): void {
    if (this.#over) return;
    if (typeof message !== "string") this.#send(KIND.data, message);
    else if (this.#joined) this.#send(KIND.word, message);
    else this.#early.push(message);
  }

  close(): void {
    this.#end(KIND.close);
  }

  terminate(): void {
    this.#end(KIND.reset);
  }

  ref(): void {
    this.referenced = true;
    this.#carrier.updateRef();
  }

  unref(): void {
    this.referenced = false;
    this.#carrier.updateRef();
  }

  /** The other side wants the channel, too. */
  join(): void {
    this.#joined = true;
    for (const word of this.#early.splice(0)) this.send(word);
    this.channel.drained();
  }

  /** The carrier can take more. */
  drained(): void {
    if (this.#joined) this.channel.drained();
  }

  /** A frame of the other side, or of the registrar. */
  receive(frame: Uint8Array): void {
    switch (frame[4]) {
      case KIND.data:
        this.channel.received(messageOf(frame));
        break;
      case KIND.word:
        this.channel.received(wordOf(frame));
        break;
      case KIND.close:
        this.#gone();
        this.channel.closed(true);
        break;
      default:
        this.#gone();
        this.channel.closed(false, refusalError({ code: codeIn(wordOf(frame)) }));
    }
  }

  /** The connection to the registrar is gone. */
  lose(error: Error): void {
    this.#over = true;
    this.channel.closed(false, error);
  }

  #send(kind: number, message?: Uint8Array | string): void {
    this.#carrier.sendRelayed(encodeRelayed(this.#dialog, kind, message));
  }

  #end(kind: number): void {
    if (this.#over) return;
    this.#send(kind);
    this.#gone();
    nextTurn(() => this.channel.closed(kind === KIND.close));
  }

  #gone(): void {
    this.#over = true;
    this.#carrier.endRelay(this.#dialog);
  }
}

function codeIn(word: string): RefusalCode {
  return REFUSALS.find((code) => code === word) ?? "lost";
}
