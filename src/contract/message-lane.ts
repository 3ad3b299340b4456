/** Receives what a MessageLane brings. Called from the event loop only. */
export interface LaneSink {
  /** One whole message. The array is the sink's to keep. */
  onMessage(body: Uint8Array): void;
  /** Room again after a `send` that returned false. */
  onDrain(): void;
  /** The connection is gone, or another sink has taken the lane: exactly once, last. */
  onClose(error?: Error): void;
}

/** Messages beside the byte stream of a connection, in order: one of 256 lanes, each for one purpose. */
export interface MessageLane {
  /** Takes a message of at most 16 KiB. False: it was not taken, since too many wait; try again after `onDrain`. */
  send(body: Uint8Array): boolean;
  /** Messages that come to a lane without a sink are lost. */
  attach(sink: LaneSink): void;
}
