import { type DgramSocket, dgramOf, EventEmitter, nextTick } from "#platform";
import { checkOptional, checkPort, rangeError, typeError } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import type { Millis } from "../contract/clock.ts";
import { closedBeforeConnection } from "../net/outgoing.ts";
import { checkPortType, takeCallback } from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { ConnectionSet } from "./connection-set.ts";
import { checkRemotePort, type Departure, resolveTarget } from "./dialling.ts";
import { type ConnectionOptions, type ConnectionSettings, connectionSettings } from "./options.ts";
import { type BoundAddress, openPort, type Port, type PortHolder } from "./port.ts";
import { Punching } from "./punching.ts";
import { ANY, resolveHost } from "./resolution.ts";

/** What keeps NATs and the peer's patience busy (utp-punch's). */
const KEEP_ALIVE: Millis = 1000;
/** How long a peer may take to end its side after it has all that we sent (chosen: as long as unacknowledged bytes linger). */
const CLOSE_GRACE: Millis = 5000;
/** Half of all connection ids: each connection takes two (BEP 29). */
const MAX_CONNECTIONS = 32_768;

/**
 * Options of a node, which all its connections get. `timeout` (default 5000) holds for a connected peer, too; `keepAlive`
 * defaults to 1000.
 */
export type UtpNodeOptions = Omit<ConnectionOptions, "data" | "signal">;

/** The events of a UtpNode with their arguments. */
export interface UtpNodeEvents {
  /** The UDP socket has its port. */
  bound: [];
  /** Connections are accepted. */
  listening: [];
  /** A peer has dialled. */
  connection: [connection: Connection];
  /** A peer is silent. */
  timeout: [connection: Connection];
  /** It cannot bind, or its socket has failed. */
  error: [error: Error];
  /** After `close`, when every connection is gone. */
  close: [];
}

/** Who waits for the port. */
interface Waiting {
  readonly resolve: (port: Port) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Server and client at once on one UDP port, which can punch a hole into a NAT. What is called before `bind` is done waits for it.
 * After `close` everything but `close` throws ERR_SOCKET_DGRAM_NOT_RUNNING.
 */
export class UtpNode extends EventEmitter<UtpNodeEvents> {
  readonly #settings: ConnectionSettings;
  #state: "open" | "closing" | "closed" = "open";
  #opening: Promise<Port> | undefined;
  #port: Port | undefined;
  #punching: Punching | undefined;
  #listening = false;
  #releasing = false;
  #maxConnections = MAX_CONNECTIONS;
  #waiting: Waiting[] = [];
  readonly #connections = new ConnectionSet(
    () => this.#finishIfDrained(),
    (connection) => this.emit("timeout", connection),
  );
  readonly #holder: PortHolder = { onPortLost: () => this.close() };
  readonly #departure: Departure = { family: 0, shared: (holder) => this.#depart(holder) };

  /** @throws for wrong options, with the codes Node uses. */
  constructor(onConnection?: (connection: Connection) => void);
  constructor(options: UtpNodeOptions | undefined, onConnection?: (connection: Connection) => void);
  constructor(...given: unknown[]) {
    super();
    const onConnection = takeCallback<(connection: Connection) => void>(given);
    const [options = {}, surplus] = given;
    if (surplus !== undefined) throw typeError("onConnection", "of type function", surplus);
    this.#settings = nodeSettings(options as UtpNodeOptions);
    if (onConnection) this.on("connection", onConnection);
  }

  /** Most accepted connections at once; more are refused. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  set maxConnections(count: number) {
    if (typeof count !== "number") throw typeError("maxConnections", "of type number", count);
    if (!(count >= 0)) throw rangeError("maxConnections", ">= 0", count);
    this.#maxConnections = count;
    if (this.#port) this.#port.host.endpoint.maxConnections = count;
  }

  /** Accepted connections. */
  get serverConnections(): number {
    return this.#connections.accepted;
  }

  /** Dialled connections. */
  get clientConnections(): number {
    return this.#connections.dialled;
  }

  /** The `dgram` socket underneath, once bound. */
  getUdpSocket(): DgramSocket | undefined {
    return this.#port && dgramOf(this.#port.host.socket);
  }

  /** Where the node is bound, as `address()` of a dgram socket says it; null before and afterwards. */
  address(): BoundAddress | null {
    return this.#port?.address ?? null;
  }

  /**
   * Opens the UDP port: any free one on every own IPv4 address, unless told. `'bound'` follows, or `'error'`.
   * @throws ERR_SOCKET_ALREADY_BOUND for a second call
   */
  bind(onBound?: () => void): this;
  bind(port?: number | string, onBound?: () => void): this;
  bind(port?: number | string, host?: string, onBound?: () => void): this;
  bind(...given: unknown[]): this {
    this.#checkOpen();
    const callback = takeCallback<() => void>(given);
    const [port, host, surplus] = given;
    if (surplus !== undefined) throw typeError("onBound", "of type function", surplus);
    checkOptional("host", host, "string");
    const number = checkPortType(port ?? 0);
    if (this.#opening) throw nodeError("ERR_SOCKET_ALREADY_BOUND", "Socket is already bound");
    if (callback) this.once("bound", callback);
    const opening = this.#open(number, host as string | undefined);
    this.#opening = opening;
    // What a listener throws is not the promise's to catch.
    opening.then(
      (opened) => nextTick(() => this.#opened(opened)),
      (error) => nextTick(() => this.#failed(error)),
    );
    return this;
  }

  async #open(port: number | string, host: string | undefined): Promise<Port> {
    const { runtime } = this.#settings;
    const number = checkPort("Port", port);
    const address = host ? await resolveHost(host, 0, runtime) : ANY[4];
    return openPort({ address, port: number }, runtime, this.#holder);
  }

  #opened(port: Port): void {
    if (this.#state !== "open") return;
    this.#port = port;
    port.keep(true);
    port.host.endpoint.maxConnections = this.#maxConnections;
    this.#punching = new Punching(port, this.#settings.runtime);
    for (const { resolve } of this.#waiting.splice(0)) resolve(port);
    this.emit("bound");
    if (this.#listening) this.#startListening();
  }

  #failed(error: Error): void {
    if (this.#state !== "open") return;
    this.#opening = undefined;
    this.#listening = false;
    this.#refuse(error);
    this.emit("error", error);
  }

  #refuse(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #whenBound(): Promise<Port> {
    if (this.#state !== "open") return Promise.reject(notRunning());
    if (this.#port) return Promise.resolve(this.#port);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #depart(holder: PortHolder): Promise<Port> {
    const port = await this.#whenBound();
    port.hold(holder);
    return port;
  }

  /**
   * Accepts connections; `'listening'` follows, after `'bound'`.
   * @throws ERR_SERVER_ALREADY_LISTEN for a second call
   */
  listen(onListening?: () => void): this {
    this.#checkOpen();
    checkOptional("onListening", onListening, "function");
    if (this.#listening) throw nodeError("ERR_SERVER_ALREADY_LISTEN", "This node is listening already");
    this.#listening = true;
    if (onListening) this.once("listening", onListening);
    if (this.#port) nextTick(() => this.#startListening());
    return this;
  }

  #startListening(): void {
    const port = this.#port;
    if (this.#state !== "open" || !port) return;
    port.listen((accepted) => {
      this.emit("connection", this.#connections.accept(port, accepted, this.#settings));
    }, this.#settings.engine);
    this.emit("listening");
  }

  /**
   * Dials from the node's own port; `host` defaults to this one. `onConnect` gets the connection that is returned, once it is
   * connected; what goes wrong comes as its `'error'`.
   */
  connect(port: number | string, onConnect?: (connection: Connection) => void): Connection;
  connect(
    port: number | string,
    host: string | undefined,
    onConnect?: (connection: Connection) => void,
  ): Connection;
  connect(...given: unknown[]): Connection {
    this.#checkOpen();
    const callback = takeCallback<(connection: Connection) => void>(given);
    const [port, host, surplus] = given;
    if (surplus !== undefined) throw typeError("onConnect", "of type function", surplus);
    checkOptional("host", host, "string");
    const target = { port: checkPortType(port), host: (host as string | undefined) || "localhost" };
    const connection = this.#connections.dial(this.#departure, target, this.#settings);
    if (callback) connection.once("connect", () => callback(connection));
    return connection;
  }

  /**
   * Sends a punch to an address up to `attempts` times, twice a second; `callback` is told whether one was answered, which any node
   * that is bound does. `host` defaults to this one; a name that does not resolve is no success.
   * @throws ERR_SOCKET_BAD_PORT, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE
   */
  punch(attempts: number, port: number | string, callback?: (success: boolean) => void): this;
  punch(
    attempts: number,
    port: number | string,
    host: string | undefined,
    callback?: (success: boolean) => void,
  ): this;
  punch(...given: unknown[]): this {
    this.#checkOpen();
    const callback = takeCallback<(success: boolean) => void>(given);
    const [attempts, port, host, surplus] = given;
    if (surplus !== undefined) throw typeError("callback", "of type function", surplus);
    checkAttempts(attempts);
    checkOptional("host", host, "string");
    const target = {
      port: checkRemotePort(checkPortType(port)),
      host: (host as string | undefined) || "localhost",
    };
    const done = (success: boolean): void => nextTick(() => callback?.(success));
    this.#punch(attempts, target, done).catch(() => done(false));
    return this;
  }

  async #punch(
    attempts: number,
    target: { readonly port: number; readonly host: string },
    done: (success: boolean) => void,
  ): Promise<void> {
    const port = await this.#whenBound();
    const remote = await resolveTarget(target, port.family, this.#settings.runtime);
    if (this.#state !== "open") throw notRunning();
    this.#punching?.punch(remote, attempts, done);
  }

  /**
   * Accepts and dials no more, ends every connection after all that was written, and closes the port; `'close'` follows. A peer
   * that does not end its side within 5 s after that is reset.
   */
  close(onClose?: () => void): this {
    checkOptional("onClose", onClose, "function");
    if (onClose && this.#state === "closed") nextTick(onClose);
    else if (onClose) this.once("close", onClose);
    if (this.#state !== "open") return this;
    this.#state = "closing";
    this.#refuse(notRunning());
    this.#punching?.close();
    this.#port?.stopListening();
    this.#port?.keep(false);
    for (const connection of [...this.#connections]) this.#endGracefully(connection);
    this.#finishIfDrained();
    return this;
  }

  /** What nobody reads is thrown away, so that the peer's end can be seen. */
  #endGracefully(connection: Connection): void {
    if (connection.connecting) {
      connection.destroy();
      return;
    }
    if (connection.readableFlowing === null) connection.resume();
    const { clock } = this.#settings.runtime;
    connection.end(() => {
      if (connection.destroyed) return;
      const grace = clock.setTimer(clock.now() + CLOSE_GRACE, () => connection.resetAndDestroy());
      connection.once("close", () => grace.cancel());
    });
  }

  #finishIfDrained(): void {
    if (this.#state !== "closing" || this.#releasing || this.#connections.size > 0) return;
    this.#releasing = true;
    const closed = (): void => {
      this.#state = "closed";
      this.#port = undefined;
      this.emit("close");
    };
    if (!this.#opening) nextTick(closed);
    else
      this.#opening.then(
        (port) => port.release(this.#holder, closed),
        () => nextTick(closed),
      );
  }

  #checkOpen(): void {
    if (this.#state !== "open") throw notRunning();
  }

  /** As `bind`; resolves with `address()`. */
  async bindP(port?: number | string, host?: string): Promise<BoundAddress> {
    this.bind(port, host);
    await happens(this, "bound", notRunning);
    return this.#port!.address;
  }

  /** As `listen`; resolves when it does. */
  async listenP(): Promise<void> {
    this.listen();
    await happens(this, "listening", notRunning);
  }

  /** As `connect`; resolves with the connection once it is connected, rejects with what its `'error'` would say. */
  async connectP(port: number | string, host?: string): Promise<Connection> {
    const connection = this.connect(port, host);
    await happens(connection, "connect", closedBeforeConnection);
    return connection;
  }

  /** As `punch`. */
  async punchP(attempts: number, port: number | string, host?: string): Promise<boolean> {
    return new Promise((resolve) => this.punch(attempts, port, host, resolve));
  }

  /** As `close`; resolves when all is closed. */
  async closeP(): Promise<void> {
    await new Promise<void>((resolve) => this.close(resolve));
  }
}

function nodeSettings(options: UtpNodeOptions): ConnectionSettings {
  checkOptional("options", options, "object");
  const { data, signal, ...others } = options as ConnectionOptions;
  const settings = connectionSettings({ ...others, keepAlive: options.keepAlive ?? KEEP_ALIVE });
  const { connectTimeout } = settings.engine;
  return { ...settings, engine: { ...settings.engine, timeout: connectTimeout! } };
}

function checkAttempts(attempts: unknown): asserts attempts is number {
  if (typeof attempts !== "number") throw typeError("attempts", "of type number", attempts);
  if (!(Number.isInteger(attempts) && attempts >= 0))
    throw rangeError("attempts", "an integer >= 0", attempts);
}

/** Resolves at an event; rejects at `'error'`, or at `'close'` with `closed()`. */
function happens(emitter: UtpNode | Connection, event: string, closed: () => Error): Promise<void> {
  const target = emitter as EventEmitter;
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      target.off(event, succeed).off("error", settle).off("close", onClose);
      if (error) reject(error);
      else resolve();
    };
    const succeed = (): void => settle();
    const onClose = (): void => settle(closed());
    target.once(event, succeed).once("error", settle).once("close", onClose);
  });
}

function notRunning(): Error {
  return nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "This node is closed: make a new one");
}
