import { DgramSocket, EventEmitter, nextTick, runtime as platformRuntime } from "#platform";
import { checkOptional, checkPort, checkSignal, rangeError, typeError } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import { canonicalIp } from "../base/ip.ts";
import type { Runtime } from "../contract/runtime.ts";
import { listenForAbort } from "../net/abort-listener.ts";
import type { UtpConnection } from "../utp/connection.ts";
import {
  checkPortType,
  connectArguments,
  familyOf,
  type ListenArguments,
  listenArguments,
  type SocketType,
  takeCallback,
} from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { ConnectionSet } from "./connection-set.ts";
import { type Departure, resolveTarget, type Target } from "./dialling.ts";
import { type ConnectionOptions, type ConnectionSettings, connectionSettings } from "./options.ts";
import { type BoundAddress, borrowPort, openPort, type Port, type PortHolder } from "./port.ts";
import { ANY, resolveHost } from "./resolution.ts";

/** Options of a server: those of the connections it accepts, and its own. */
export interface ServerOptions extends ConnectionOptions {
  /** Give out connections paused. */
  readonly pauseOnConnect?: boolean;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/** The events of a Server with their arguments. */
export interface ServerEvents {
  /** The UDP socket is bound. */
  listening: [];
  /** A peer has dialled. */
  connection: [connection: Connection];
  /** It cannot listen, or its socket has failed. */
  error: [error: Error];
  /** After `close`, when the last connection is gone. */
  close: [];
}

/** What `Server.connect` calls back. */
export type ConnectCallback = (error: Error | null, connection?: Connection) => void;

/** Accepts uTP connections on a UDP port, with the surface and the events of `net.Server`, and dials from the same port. */
export class Server extends EventEmitter<ServerEvents> {
  readonly #runtime: Runtime;
  readonly #pauseOnConnect: boolean;
  readonly #signal: AbortSignal | undefined;
  /** From `listen` until closed or failed. */
  #ignoreAbort: (() => void) | undefined;
  #options: ConnectionOptions;
  #settings: ConnectionSettings;
  #maxConnections: number | undefined;
  /** Likewise. */
  #opening: Promise<Port> | undefined;
  #port: Port | undefined;
  #closing = false;
  #releasing = false;
  #referenced = true;
  readonly #connections = new ConnectionSet(() => this.#finishIfDrained());
  readonly #holder: PortHolder = { onPortLost: () => this.#stop() };

  /** @throws for wrong options, with the codes Node uses. */
  constructor(options: ServerOptions = {}) {
    super();
    checkOptional("options", options, "object");
    const { pauseOnConnect = false, signal, runtime = platformRuntime, ...connectionOptions } = options;
    checkOptional("options.pauseOnConnect", pauseOnConnect, "boolean");
    checkSignal(signal);
    this.#runtime = runtime;
    this.#pauseOnConnect = pauseOnConnect;
    this.#options = connectionOptions;
    this.#settings = this.#acceptedSettings(connectionOptions);
    this.#signal = signal;
  }

  /** From `'listening'` to `close`. */
  get listening(): boolean {
    return this.#port !== undefined && !this.#closing;
  }

  /** Where the UDP socket is bound, as its own `address()` says; null while not listening. */
  address(): BoundAddress | null {
    return this.listening ? this.#port!.address : null;
  }

  /** The options that connections get when they are accepted; another object changes those that come. */
  get connectionOptions(): ConnectionOptions {
    return this.#options;
  }

  set connectionOptions(options: ConnectionOptions) {
    this.#settings = this.#acceptedSettings(options);
    this.#options = options;
    if (this.listening) this.#port!.host.endpoint.listen(this.#settings.engine);
  }

  /** What a dialler alone can have is left out. */
  #acceptedSettings(options: ConnectionOptions): ConnectionSettings {
    checkOptional("options", options, "object");
    const { data, signal, ...others } = options;
    return connectionSettings({ ...others, runtime: this.#runtime });
  }

  /** More accepted connections than this at once are refused: their diallers get ECONNREFUSED. */
  get maxConnections(): number | undefined {
    return this.#maxConnections;
  }

  set maxConnections(count: number | undefined) {
    checkOptional("maxConnections", count, "number");
    if (count !== undefined && !(count >= 0)) throw rangeError("maxConnections", ">= 0", count);
    this.#maxConnections = count;
    this.#applyMaxConnections();
  }

  #applyMaxConnections(): void {
    if (this.#port)
      this.#port.host.endpoint.maxConnections = this.#maxConnections ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Listens on a UDP port of every own address or of one `host`; or on a `dgram` socket of the user's, which is bound if it
   * is not yet and stays open afterwards. What goes wrong comes as `'error'`.
   * @throws ERR_SERVER_ALREADY_LISTEN, ERR_INVALID_ARG_TYPE
   */
  listen(onListening?: () => void): this;
  listen(socket: DgramSocket, onListening?: () => void): this;
  listen(port: number | string, onListening?: () => void): this;
  listen(
    port: number | string,
    socket: DgramSocket | SocketType | (string & {}),
    onListening?: () => void,
  ): this;
  listen(...given: unknown[]): this {
    const callback = takeCallback<() => void>(given);
    const target = listenArguments(given);
    if (this.#opening) {
      const message = "Listen method has been called more than once without closing.";
      throw nodeError("ERR_SERVER_ALREADY_LISTEN", message);
    }
    if (callback) this.once("listening", callback);
    this.#ignoreAbort = listenForAbort(this.#signal, () => this.close());
    const opening = this.#open(target);
    this.#opening = opening;
    // What a listener throws is not the promise's to catch.
    opening.then(
      (port) => nextTick(() => this.#opened(port)),
      (error) => nextTick(() => this.#failed(error)),
    );
    return this;
  }

  async #open({ port, socket }: ListenArguments): Promise<Port> {
    const number = checkPort("Port", port);
    if (socket instanceof DgramSocket) return borrowPort(socket, number, this.#runtime, this.#holder);
    const family = familyOf(socket);
    const address = family === 0 ? await resolveHost(socket, 0, this.#runtime) : ANY[family];
    return openPort({ address, port: number }, this.#runtime, this.#holder);
  }

  #opened(port: Port): void {
    if (this.#closing) return;
    try {
      port.listen((connection) => this.#accept(port, connection), this.#settings.engine);
    } catch (error) {
      port.release(this.#holder);
      this.#failed(error as Error);
      return;
    }
    this.#port = port;
    this.#applyMaxConnections();
    if (this.#referenced) port.keep(true);
    this.emit("listening");
  }

  #failed(error: Error): void {
    if (this.#closing) return;
    this.#opening = undefined;
    this.#ignoreAbort?.();
    this.emit("error", error);
  }

  #accept(port: Port, accepted: UtpConnection): void {
    const connection = this.#connections.accept(port, accepted, this.#settings);
    if (this.#pauseOnConnect) connection.pause();
    this.emit("connection", connection);
  }

  /**
   * Dials from the server's own port once `host` has an address; `callback` gets what is wrong, or the connection, which is
   * connected when it emits `'connect'`.
   */
  connect(port: number | string, host: string, callback: ConnectCallback): this;
  connect(
    port: number | string,
    host: string,
    options: ConnectionOptions | undefined,
    callback: ConnectCallback,
  ): this;
  connect(...given: unknown[]): this {
    const callback = takeCallback<ConnectCallback>(given);
    if (!callback) throw typeError("callback", "of type function", callback);
    const { socket, family, options, ...target } = connectArguments(given);
    if (socket || family) throw typeError("options", "an object", given[2]);
    const settings = connectionSettings({ runtime: this.#runtime, ...options });
    this.#resolve(target).then(
      (remote) => nextTick(() => callback(null, this.#dial(remote, settings))),
      (error) => nextTick(() => callback(error)),
    );
    return this;
  }

  async #resolve(target: Target): Promise<Target> {
    const port = await (this.#opening ?? Promise.reject(notRunning()));
    const remote = await resolveTarget(target, port.family, this.#runtime);
    return { host: remote.address, port: remote.port };
  }

  /**
   * Dials an IP address from the server's own port. What goes wrong comes as `'error'` of the connection.
   * @throws ERR_INVALID_IP_ADDRESS for what is no literal
   */
  connectAddr(port: number | string, address: string, options: ConnectionOptions = {}): Connection {
    checkPortType(port);
    if (typeof address !== "string") throw typeError("address", "of type string", address);
    const host = canonicalIp(address);
    if (host === undefined) {
      throw nodeError("ERR_INVALID_IP_ADDRESS", `Invalid IP address: ${address}`, TypeError);
    }
    return this.#dial({ host, port }, connectionSettings({ runtime: this.#runtime, ...options }));
  }

  #dial(target: Target, settings: ConnectionSettings): Connection {
    return this.#connections.dial(this.#departure, target, settings);
  }

  readonly #departure: Departure = {
    family: 0,
    shared: async (holder) => {
      const port = await (this.#opening ?? Promise.reject(notRunning()));
      port.hold(holder);
      return port;
    },
  };

  /**
   * Stops accepting and keeps connections; `'close'` follows the last. `callback` gets ERR_SERVER_NOT_RUNNING if the server was
   * not listening.
   */
  close(callback?: (error?: Error) => void): this {
    checkOptional("callback", callback, "function");
    const running = this.#opening !== undefined && !this.#closing;
    if (callback) this.once("close", running ? () => callback() : () => callback(notRunning()));
    if (running) this.#stop();
    else if (!this.#opening) nextTick(() => this.emit("close"));
    return this;
  }

  #stop(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#ignoreAbort?.();
    this.#port?.stopListening();
    if (this.#port && this.#referenced) this.#port.keep(false);
    this.#finishIfDrained();
  }

  #finishIfDrained(): void {
    if (!this.#closing || this.#releasing || this.#connections.size > 0) return;
    this.#releasing = true;
    const closed = (): void => {
      this.#opening = this.#port = undefined;
      this.#closing = this.#releasing = false;
      this.emit("close");
    };
    this.#opening?.then(
      (port) => port.release(this.#holder, closed),
      () => nextTick(closed),
    );
  }

  /** As in `net`: the number of open connections that were accepted. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    if (typeof callback !== "function") throw typeError("callback", "of type function", callback);
    const { accepted } = this.#connections;
    nextTick(() => callback(null, accepted));
    return this;
  }

  /** Let the server keep the process alive (the default). */
  ref(): this {
    return this.#refer(true);
  }

  /** Let the process exit although the server listens. */
  unref(): this {
    return this.#refer(false);
  }

  /** Closes the server if it listens; resolves after the last connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#opening) await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  #refer(referenced: boolean): this {
    if (this.#referenced !== referenced && this.listening) this.#port!.keep(referenced);
    this.#referenced = referenced;
    return this;
  }
}

function notRunning(): Error {
  return nodeError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
}
