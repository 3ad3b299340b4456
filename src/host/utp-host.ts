import { systemError } from "../base/errors.ts";
import type { Instant } from "../contract/clock.ts";
import type { DatagramSink, DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { UtpConnection } from "../utp/connection.ts";
import { UtpEndpoint } from "../utp/endpoint.ts";
import type { ConnectionOptions, ConnectionSink, UtpEvent, UtpEventType } from "../utp/options.ts";
import { Demultiplexer } from "./demultiplexer.ts";
import { EngineTimer } from "./engine-timer.ts";
import { OwnAddresses } from "./own-addresses.ts";

/** What a datagram costs the system's receive buffer besides its bytes (DESIGN.md §7). */
const DATAGRAM_OVERHEAD = 1024;
/** The datagram size the window is counted in: Ethernet's. */
const USUAL_DATAGRAM = 1472;
/** Below that a connection would crawl, whatever the buffer (chosen). */
const LEAST_WINDOW = 16 * 1024;

/** Datagrams sent in one turn, so that who receives on this machine comes to read them (chosen: what stock buffers hold). */
const BURST = 128;

/** What a connection's sink hears of each event. */
const SINK_METHOD = {
  connected: "onConnected",
  readable: "onReadable",
  drain: "onDrain",
  end: "onEnd",
  finished: "onFinished",
  closed: "onClosed",
} as const satisfies Record<Exclude<UtpEventType, "accepted">, keyof ConnectionSink>;

/**
 * Joins a DatagramSocket to a uTP endpoint: one timer, one acknowledgement per receive burst, delivery
 * once per event-loop turn to each connection's `sink`. Connections may be used directly: whatever is
 * called on them, the host notices.
 */
export class UtpHost implements DatagramSink {
  readonly socket: DatagramSocket;
  readonly endpoint: UtpEndpoint;
  /** Other protocols on the same port: STUN, TURN. */
  readonly demultiplexer: Demultiplexer;
  /** Datagrams the system would not send, by code. */
  readonly sendErrors = new Map<string, number>();
  /** Called when the system has taken the socket away. */
  onLost: ((error: Error) => void) | undefined;
  /** Called when the number of connections has changed. */
  onSize: (() => void) | undefined;
  /** When the last datagram came; before, when the host was made. */
  heardAt: Instant;
  readonly #runtime: Runtime;
  readonly #timer: EngineTimer;
  readonly #ownAddresses: OwnAddresses;
  readonly #incoming: { data: Uint8Array; remote: SocketAddress };
  #onConnection: ((connection: UtpConnection) => void) | undefined;
  #tasks: (() => void)[] = [];
  #scheduled = false;
  /** The timer has fired. */
  #due = false;
  #pumping = false;
  /** The system has queued a datagram: nothing more until it has drained. */
  #blocked = false;
  #closed = false;
  /** Somebody has heard of a beginning or an end in this turn. */
  #told = false;
  /** Sending was put off. */
  #waits = false;
  /** There may be more than what was sent in this turn. */
  #unsent = false;
  #size = 0;
  #referenced = true;
  /** Closed by their users, with bytes that are not acknowledged. */
  readonly #lingering = new Set<UtpConnection>();

  /** `maxDatagram`: the largest that some way behind the socket carries. */
  constructor(socket: DatagramSocket, runtime: Runtime, maxDatagram = socket.maxPayload) {
    this.socket = socket;
    this.#runtime = runtime;
    this.heardAt = runtime.clock.now();
    this.#ownAddresses = new OwnAddresses(runtime);
    this.#incoming = { data: new Uint8Array(0), remote: socket.local };
    this.endpoint = new UtpEndpoint({
      random: runtime.random,
      onWork: () => this.#schedule(),
      isOwnHost: (address) => this.#ownAddresses.has(address),
      maxDatagram,
      receiveWindow: receiveWindow(socket.receiveBufferSize),
    });
    this.#timer = new EngineTimer(runtime.clock, () => this.#onTimer());
    this.demultiplexer = new Demultiplexer(socket);
    this.demultiplexer.utp = this;
  }

  /** Its socket is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** `onConnection` gets each accepted connection and sets its `sink` before it returns. */
  listen(onConnection: (connection: UtpConnection) => void, options: ConnectionOptions = {}): void {
    this.endpoint.listen(options);
    this.#onConnection = onConnection;
  }

  stopListening(): void {
    this.endpoint.stopListening();
    this.#onConnection = undefined;
  }

  /** Set the `sink` of what this returns before the turn ends. */
  connect(remote: SocketAddress, options: ConnectionOptions = {}): UtpConnection {
    // Nothing that comes can change what is said first.
    this.#schedule(this.#runtime.afterDelivery);
    return this.endpoint.connect(remote, options);
  }

  /** Runs `task` with the next delivery: what a sink is told because of a call must not happen inside that call. */
  soon(task: () => void): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  /** Runs `task` once what a sink has just been told has settled: what came along with it is heard afterwards. */
  afterDelivery(task: () => void): void {
    const { afterDelivery, afterInput } = this.#runtime;
    this.#after(afterDelivery ?? afterInput, task);
  }

  /** Resets every connection (their sinks hear ECONNABORTED), tells the peers, closes the socket. */
  close(): void {
    if (this.#closed) return;
    this.stopListening();
    const { address, port } = this.socket.local;
    for (const connection of [...this.endpoint.connections()]) {
      connection.abort(systemError("ECONNABORTED", "close", address, port));
    }
    this.bidFarewell();
    this.socket.close();
    this.#finish();
  }

  /** Sends all that waits, and again what may be lost and nobody will repeat when the port is gone. */
  bidFarewell(): void {
    this.endpoint.bidFarewell(this.#runtime.clock.now());
    do {
      this.#unsent = false;
      this.#transmit();
    } while (this.#unsent);
  }

  #finish(): void {
    this.#closed = true;
    this.#timer.cancel();
    this.#schedule();
  }

  /** Closes a connection; what was written keeps the process alive until it is acknowledged, up to 5 s. */
  leave(connection: UtpConnection): void {
    connection.close();
    if (connection.flushed) return;
    this.#lingering.add(connection);
    this.#applyReference();
  }

  #forgetFlushed(): void {
    if (this.#lingering.size === 0) return;
    for (const connection of this.#lingering) if (connection.flushed) this.#lingering.delete(connection);
    this.#applyReference();
  }

  /** Whether the socket and the timer keep the process alive; they do at first. */
  ref(): void {
    this.#referenced = true;
    this.#applyReference();
  }

  unref(): void {
    this.#referenced = false;
    this.#applyReference();
  }

  #applyReference(): void {
    const method = this.#referenced || this.#lingering.size > 0 ? "ref" : "unref";
    this.socket[method]();
    this.#timer[method]();
  }

  onDatagram(data: Uint8Array, remote: SocketAddress): void {
    this.#incoming.data = data;
    this.#incoming.remote = remote;
    this.heardAt = this.#runtime.clock.now();
    this.endpoint.handleDatagram(this.#incoming, this.heardAt);
    this.#schedule();
  }

  onDrain(): void {
    this.#blocked = false;
    this.#schedule();
  }

  onSendError(code: string, remote: SocketAddress | undefined): void {
    this.sendErrors.set(code, (this.sendErrors.get(code) ?? 0) + 1);
    if (remote) this.endpoint.sendFailed(code, remote, this.#runtime.clock.now());
  }

  /** The system took the socket away. */
  onClose(error?: Error): void {
    if (this.#closed) return;
    const { address, port } = this.socket.local;
    const reason = error ?? systemError("ECONNABORTED", "close", address, port);
    for (const connection of [...this.endpoint.connections()]) connection.lost(reason);
    this.#finish();
    this.onLost?.(reason);
  }

  /** Time-outs wait for the input that is ready, too: the answer may have come while the process was busy. */
  #onTimer(): void {
    this.#due = true;
    this.#schedule();
  }

  /** Has the pump run once the input of this turn is in: that is what makes one acknowledgement of a burst. */
  #schedule(soon = this.#runtime.afterInput): void {
    if (this.#scheduled || this.#pumping) return;
    this.#scheduled = true;
    this.#after(soon, this.#onTurn);
  }

  #after(soon: Runtime["afterInput"], task: () => void): void {
    const { clock } = this.#runtime;
    if (soon) soon(task);
    else clock.setTimer(clock.now(), task);
  }

  readonly #onTurn = (): void => {
    this.#scheduled = false;
    if (this.#due) this.endpoint.handleTimeout(this.#runtime.clock.now());
    this.#due = false;
    this.#pump();
  };

  /** Delivers, then transmits, until neither has anything left; then arms the timer. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      do {
        this.#deliver();
        if (this.#patient()) break;
        this.#transmit();
      } while (this.endpoint.hasEvents || this.#tasks.length > 0);
    } finally {
      this.#pumping = false;
      this.#rest();
    }
  }

  /** Whether to send a little later: who hears of a beginning or an end answers, and the answer carries the acknowledgement. */
  #patient(): boolean {
    this.#waits = this.#told && !this.endpoint.speaking;
    this.#told = false;
    return this.#waits;
  }

  /** After the pump, also if a sink threw: what is left comes with the next turn. */
  #rest(): void {
    if (this.#waits) this.#schedule(this.#runtime.afterDelivery);
    else if (this.#unsent || this.endpoint.hasEvents || this.#tasks.length > 0) this.#schedule();
    this.#waits = this.#unsent = false;
    this.#tellSize();
    if (this.#closed) return;
    this.#timer.arm(this.endpoint.pollTimeout());
    this.#forgetFlushed();
  }

  #deliver(): void {
    for (let event = this.endpoint.pollEvent(); event; event = this.endpoint.pollEvent()) {
      this.#dispatch(event);
    }
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) task();
  }

  #dispatch({ type, connection, error }: UtpEvent): void {
    // Bytes are acknowledged at once: a fast sender waits for that.
    if (type !== "readable" && type !== "drain") this.#told = true;
    if (type === "accepted") {
      if (this.#onConnection) this.#onConnection(connection);
      else connection.abort();
      return;
    }
    connection.sink?.[SINK_METHOD[type]]?.(error);
  }

  #transmit(): void {
    if (this.#blocked || this.#closed) return;
    const { endpoint, socket } = this;
    const now = this.#runtime.clock.now();
    for (let left = BURST; left > 0; left--) {
      const out = endpoint.pollTransmit(now);
      if (!out) return;
      const result = socket.send(out.data, out.remote);
      if (result === "sent") continue;
      if (result === "queued") {
        endpoint.detachBuffer();
        this.#blocked = true;
        return;
      }
      this.onSendError(result, out.remote);
    }
    this.#unsent = true;
  }

  #tellSize(): void {
    const { size } = this.endpoint;
    if (size === this.#size) return;
    this.#size = size;
    this.onSize?.();
  }
}

/** Payload that may wait in a receive buffer of that many bytes, half of it used. */
function receiveWindow(bufferSize: number | undefined): number {
  if (bufferSize === undefined) return 4 * LEAST_WINDOW;
  const datagrams = bufferSize / 2 / (USUAL_DATAGRAM + DATAGRAM_OVERHEAD);
  return Math.max(LEAST_WINDOW, Math.floor(datagrams) * USUAL_DATAGRAM);
}
