import { nextTurn } from "#platform";
import { DialogInbox } from "../../src/base/dialog-inbox.ts";
import { nodeError, OnetpError } from "../../src/base/errors.ts";
import { decodeSignal, encodeSignal } from "../../src/base/signal.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Dialog, DialogSink } from "../../src/contract/dialog.ts";
import type { Endpoint, Json } from "../../src/contract/endpoint.ts";
import { LocalRelay } from "./relay.ts";

/** One end of a dialog inside the process. Bodies travel as text, so that the ends share no object. */
export class LocalDialog implements Dialog {
  readonly #inbox = new DialogInbox(nextTurn);
  #peer: LocalDialog;
  #relay: LocalRelay | undefined;
  #onEnded: (() => void) | undefined;

  /** Both ends. */
  static pair(): [LocalDialog, LocalDialog] {
    const first = new LocalDialog();
    const second = new LocalDialog();
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  private constructor() {
    this.#peer = this;
  }

  get ended(): boolean {
    return this.#inbox.ended;
  }

  /** Calls `then` once it has. */
  whenEnded(then: () => void): void {
    this.#onEnded = then;
  }

  async send(body: Json): Promise<void> {
    if (this.ended) throw nodeError("ERR_STREAM_DESTROYED", "The dialog is closed");
    if (this.#peer.#inbox.push(decodeSignal(encodeSignal(body))!)) return;
    this.#end(new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail: "too many signals wait for a reader" }));
  }

  attach(sink: DialogSink): void {
    this.#inbox.attach(sink);
  }

  close(): void {
    this.#end();
  }

  relay(remote: Endpoint): Channel {
    if (this.#relay) throw nodeError("ERR_INVALID_STATE", "The dialog has been relayed already");
    this.#relay = new LocalRelay(remote);
    if (this.#peer.#relay) LocalRelay.join(this.#relay, this.#peer.#relay);
    return this.#relay.channel;
  }

  #end(error?: Error): void {
    for (const end of [this, this.#peer]) {
      end.#inbox.end(error);
      end.#onEnded?.();
    }
  }
}
