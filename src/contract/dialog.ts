import type { Json, JsonObject } from "./endpoint.ts";

/** Receives the signals of one dialog. Called from the event loop only. */
export interface DialogSink {
  onSignal(body: Json): void;
  /** The dialog is over: exactly once, last. */
  onClose(error?: Error): void;
}

/** A short exchange of JSON signals with one peer. At most once, in order, each body at most 16 KiB. */
export interface Dialog {
  /** Resolves when the signal is handed on, rejects with a code when it is refused. */
  send(body: Json): Promise<void>;
  /** Signals that came before wait for it. */
  attach(sink: DialogSink): void;
  close(): void;
}

/** Where a registered transport can be signalled: the transportInfo of a signaled transport. */
export interface SignalingAddress extends JsonObject {
  /** `local-signaling`, `websocket-signaling` or `introducer-signaling`. */
  readonly type: string;
  readonly uid: string;
}

/** Carries dialogs between endpoints that cannot reach each other yet. */
export interface Signaling {
  /** Be reachable for dialogs of one transport type under the address that is returned. */
  register(transportType: string, onDialog: (dialog: Dialog) => void): Promise<SignalingAddress>;
  open(address: SignalingAddress, transportType: string): Promise<Dialog>;
  close(): Promise<void>;
}
