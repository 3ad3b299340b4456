import { EventEmitter, nextTick } from "#platform";
import { checkOptional, typeError } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Introducer } from "../contract/introducer.ts";
import type { Transport } from "../contract/transport.ts";
import { listenForAbort } from "./abort-listener.ts";
import { Acceptor } from "./acceptor.ts";
import { sortArguments } from "./arguments.ts";
import { createIntroducer, observedAddress } from "./introduction.ts";
import { checkListeningInfo, type ListeningInfo } from "./listening-info.ts";
import {
  checkTransports,
  type ServerOptions,
  type ServerSettings,
  type SocketSettings,
  serverSettings,
  socketSettings,
} from "./options.ts";
import { acceptSocket, type Socket } from "./socket.ts";

/** What `listen` takes besides the listeningInfo. */
export interface ListenOptions {
  /** Fail rather than listen elsewhere than the listeningInfo says. Default: the server's option. */
  readonly exclusive?: boolean;
}

/** A connection that was refused because there are `maxConnections` already. */
export interface DroppedConnection {
  /** The peer, as an entry. */
  readonly remoteAddress: Endpoint;
  /** This end, where the transport knows it. */
  readonly localAddress: Endpoint | undefined;
}

/** The events of a Server with their arguments. */
export interface ServerEvents {
  /** Every transport listens or has failed. */
  listening: [];
  /** A connection, its peer proved and admitted. */
  connection: [socket: Socket];
  /** No transport can listen, or none does any longer. */
  error: [error: Error];
  /** After `close`, when the last connection is gone. */
  close: [];
  /** A connection was dropped because of `maxConnections`. */
  drop: [dropped: DroppedConnection];
  /** One of several transports cannot listen, or does not any longer. */
  transportError: [error: Error, transport: Transport];
}

type ConnectionListener = (socket: Socket) => void;

/** Listens on all its transports at once, with the surface and the events of `net.Server`. */
export class Server extends EventEmitter<ServerEvents> {
  /** Connections beyond this many are dropped. */
  maxConnections: number | undefined;
  readonly #transports: readonly Transport[];
  readonly #options: ServerOptions;
  readonly #settings: ServerSettings;
  readonly #socketSettings: SocketSettings;
  readonly #introducer: Introducer | undefined;
  #acceptor: Acceptor | undefined;
  /** While there is an acceptor. */
  #ignoreAbort: (() => void) | undefined;
  #listening = false;
  /** Acceptors that are closing. */
  #closing = 0;
  /** `close` was called, and `'close'` has not been emitted for it. */
  #closeDue = false;
  #referenced = true;
  #connections = 0;
  /** One for all sockets: each would keep its own. */
  readonly #onDestroy = (): void => {
    this.#connections -= 1;
    this.#emitCloseIfDrained();
  };

  /** As `createServer`. @throws for wrong arguments, with the codes Node uses. */
  constructor(onConnection?: ConnectionListener);
  constructor(options: ServerOptions, onConnection?: ConnectionListener);
  constructor(transports: readonly Transport[] | null | undefined, onConnection?: ConnectionListener);
  constructor(
    transports: readonly Transport[] | null | undefined,
    options?: ServerOptions,
    onConnection?: ConnectionListener,
  );
  constructor(...given: unknown[]) {
    super();
    const { transports, options, listener } = sortArguments<ServerOptions, ConnectionListener>(given);
    this.#settings = serverSettings(options);
    this.#transports = checkTransports(transports);
    this.#options = options;
    const { runtime, security, introduce, relay } = this.#settings;
    const stun = (): readonly SocketAddress[] => this.#acceptor?.stun ?? [];
    if (introduce) this.#introducer = createIntroducer({ runtime, stun, relay });
    const dialing = security ? { identity: security.identity } : { security: "none" as const };
    this.#socketSettings = socketSettings({ runtime, ...dialing });
    if (listener) this.on("connection", listener);
  }

  /** From `'listening'` to `close`. */
  get listening(): boolean {
    return this.#listening;
  }

  /** The connectionInfo to give to whoever is to connect; null while not listening. */
  address(): ConnectionInfo | null {
    return this.#listening && this.#acceptor ? this.#acceptor.endpoints : null;
  }

  /**
   * Listens on every transport. `'listening'` comes when each has listened or failed, `'error'` when none can.
   * @throws ERR_SERVER_ALREADY_LISTEN, or ERR_INVALID_ARG_TYPE and ERR_SOCKET_BAD_PORT for a wrong listeningInfo.
   */
  listen(onListening?: () => void): this;
  listen(listeningInfo?: ListeningInfo | null, onListening?: () => void): this;
  listen(listeningInfo?: ListeningInfo | null, options?: ListenOptions, onListening?: () => void): this;
  listen(...given: unknown[]): this {
    const callback = typeof given.at(-1) === "function" ? (given.pop() as () => void) : undefined;
    const [listeningInfo, options = {}] = given;
    if (typeof options !== "object" || options === null) throw typeError("options", "an object", options);
    const { exclusive = this.#options.exclusive ?? false } = options as ListenOptions;
    checkOptional("options.exclusive", exclusive, "boolean");
    const entries = checkListeningInfo(listeningInfo);
    if (this.#acceptor) {
      const message = "Listen method has been called more than once without closing.";
      throw nodeError("ERR_SERVER_ALREADY_LISTEN", message);
    }
    if (callback) this.once("listening", callback);
    this.#open(entries, exclusive);
    return this;
  }

  /** As `listen`; resolves with `address()`, rejects with what `'error'` would say. */
  listenP(listeningInfo?: ListeningInfo | null, options?: ListenOptions): Promise<ConnectionInfo> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        this.off("listening", settle).off("error", settle).off("close", closed);
        if (error) reject(error);
        else resolve(this.address() ?? []);
      };
      const closed = (): void => settle(notRunning());
      this.listen(listeningInfo, options ?? {}, settle);
      this.once("error", settle).once("close", closed);
    });
  }

  #open(listeningInfo: readonly Endpoint[], exclusive: boolean): void {
    const acceptor = new Acceptor({
      ...this.#settings,
      transports: this.#transports,
      listeningInfo,
      exclusive,
      answerStun: this.#settings.introduce,
      onChannel: (channel, transport) => this.#accept(channel, transport),
      onTransportError: (error, transport) => nextTick(() => this.emit("transportError", error, transport)),
      onBroken: (error) => this.#fail(acceptor, error),
    });
    this.#acceptor = acceptor;
    if (!this.#referenced) acceptor.unref();
    this.#ignoreAbort = listenForAbort(this.#options.signal, () => this.close());
    acceptor.open().then(
      // What a listener of the event throws is not this promise's to catch.
      () => nextTick(() => this.#opened(acceptor)),
      (error) => nextTick(() => this.#fail(acceptor, error)),
    );
  }

  #opened(acceptor: Acceptor): void {
    if (this.#acceptor !== acceptor) return;
    this.#listening = true;
    this.emit("listening");
  }

  #fail(acceptor: Acceptor, error: Error): void {
    if (this.#acceptor !== acceptor) return;
    this.#acceptor = undefined;
    this.#listening = false;
    this.#ignoreAbort?.();
    this.emit("error", error);
  }

  #accept(channel: Channel, transport: Transport): void {
    // In JavaScript it may be null as well.
    if (this.#connections >= (this.maxConnections ?? Number.POSITIVE_INFINITY)) {
      channel.abort();
      this.emit("drop", { remoteAddress: channel.remote, localAddress: channel.local });
      return;
    }
    this.#connections += 1;
    this.#introducer?.admit(channel, observedAddress(channel, transport));
    const connection = { channel, transport, settings: this.#socketSettings, onDestroy: this.#onDestroy };
    const socket = acceptSocket(connection, this.#options);
    if (this.#options.pauseOnConnect) socket.pause();
    this.emit("connection", socket);
  }

  /**
   * Stops accepting and keeps connections; `'close'` follows the last. `callback` gets
   * ERR_SERVER_NOT_RUNNING if the server was not listening.
   */
  close(callback?: (error?: Error) => void): this {
    checkOptional("callback", callback, "function");
    const acceptor = this.#acceptor;
    if (callback) this.once("close", () => (acceptor ? callback() : callback(notRunning())));
    this.#closeDue = true;
    this.#ignoreAbort?.();
    this.#acceptor = undefined;
    this.#listening = false;
    if (!acceptor) {
      this.#emitCloseIfDrained();
      return this;
    }
    this.#closing += 1;
    acceptor.close().then(() => {
      this.#closing -= 1;
      this.#emitCloseIfDrained();
    });
    return this;
  }

  /** As `close`; resolves after the last connection is closed. */
  closeP(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.close((error) => (error ? reject(error) : resolve()));
    });
  }

  #emitCloseIfDrained(): void {
    if (!this.#closeDue || this.#acceptor || this.#closing > 0 || this.#connections > 0) return;
    this.#closeDue = false;
    nextTick(() => this.emit("close"));
  }

  /** As in `net`: the number of open connections. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    if (typeof callback !== "function") throw typeError("callback", "of type function", callback);
    const count = this.#connections;
    nextTick(() => callback(null, count));
    return this;
  }

  /** Let the server keep the process alive (the default). */
  ref(): this {
    this.#referenced = true;
    this.#acceptor?.ref();
    return this;
  }

  /** Let the process exit although the server listens. */
  unref(): this {
    this.#referenced = false;
    this.#acceptor?.unref();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#acceptor) await this.closeP();
  }
}

function notRunning(): Error {
  return nodeError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
}
