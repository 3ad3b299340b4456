/** Receives what happens on a WebSocket. Called from the event loop only. */
export interface WebSocketSink {
  /** It can be written to. Only where it was opened, not where it was accepted. */
  onOpen?(): void;
  /** A whole message, text or binary. The bytes are the sink's to keep. */
  onMessage(message: string | Uint8Array): void;
  /** Nothing is lent any more. */
  onDrain?(): void;
  /** It is gone, or never came to be: exactly once, last. */
  onClose(close: WebSocketClose): void;
}

/** How a WebSocket ended. */
export interface WebSocketClose {
  /** RFC 6455 §7.4; 1006 where the peer gave none. */
  readonly status: number;
  readonly reason: string;
  /** What went wrong on this side or below, with a code where there is one. */
  readonly error?: Error | undefined;
}

/** One end of a WebSocket (RFC 6455). */
export interface WebSocketLink {
  /** Bytes that wait to be sent. */
  readonly buffered: number;
  /** True: what was sent may still be read; `onDrain` follows. Absent where `send` copies. */
  readonly lent?: boolean;
  /** Not before `onOpen`. What is sent after the end is lost. */
  send(message: string | Uint8Array): void;
  /** The closing handshake; `onClose` follows within seconds whatever the peer does. */
  close(status: number, reason: string): void;
  /** Ends it now; `onClose` follows. */
  terminate(): void;
  /** Let it keep the process alive (the default). */
  ref(): void;
  unref(): void;
}
