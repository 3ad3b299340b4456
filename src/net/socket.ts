import { addAbortSignal, nextTick } from "#platform";
import { checkOptional, typeError } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { MessageLane } from "../contract/message-lane.ts";
import type { Transport } from "../contract/transport.ts";
import { sortArguments } from "./arguments.ts";
import { ChannelStream } from "./channel-stream.ts";
import { checkConnectionInfo, parseConnectionInfo } from "./connection-info.ts";
import { Dial } from "./dial.ts";
import {
  type CommonOptions,
  channelOptions,
  checkTransports,
  type SocketOptions,
  type SocketSettings,
  socketSettings,
  streamOptions,
} from "./options.ts";
import { closedBeforeConnection } from "./outgoing.ts";
import type { AttemptReport } from "./report.ts";

const NO_ATTEMPTS: readonly AttemptReport[] = [];

/** A channel the server has accepted. */
export interface Connection {
  readonly channel: Channel;
  readonly transport: Transport;
  readonly settings: SocketSettings;
  /** Called once, when the socket is destroyed. */
  readonly onDestroy: () => void;
}

const connectionKey = Symbol("connection");

interface InternalOptions extends SocketOptions {
  readonly [connectionKey]?: Connection;
}

/** Makes the connected socket of a channel that a server has accepted. */
export function acceptSocket(connection: Connection, options: CommonOptions): Socket {
  const internal: InternalOptions = { ...options, [connectionKey]: connection };
  return new Socket(internal);
}

/**
 * One end of a connection: a Duplex with the surface, the event order and the error codes of `net.Socket`, over whichever
 * transport won the dial. Besides a stream's events: `connect`, `ready`, `timeout`, and `close` with `hadError`.
 */
export class Socket extends ChannelStream {
  readonly #settings: SocketSettings;
  /** On a server's socket undefined until it dials by the transport it came by. */
  #transports: readonly Transport[] | undefined;
  #dial: Dial | undefined;
  #transport: Transport | undefined;
  #report: readonly AttemptReport[] = NO_ATTEMPTS;

  /** `transports`: what may be dialled by; default: what the runtime has. @throws for wrong arguments, with the codes Node uses. */
  constructor(options: SocketOptions);
  constructor(transports?: readonly Transport[] | null, options?: SocketOptions);
  constructor(...given: unknown[]) {
    const { transports, options, listener } = sortArguments<SocketOptions, () => void>(given);
    if (listener) throw typeError("options", "an object", listener);
    const connection = (options as InternalOptions)[connectionKey];
    const settings = connection?.settings ?? socketSettings(options);
    const usable = connection ? undefined : checkTransports(transports);
    super({
      clock: settings.runtime.clock,
      stream: streamOptions(options),
      channel: channelOptions(options),
      onDestroy: connection?.onDestroy,
    });
    this.#settings = settings;
    this.#transports = usable;
    if (options.timeout) this.setTimeout(options.timeout);
    if (connection) {
      this.#transport = connection.transport;
      this.adopt(connection.channel);
    }
    if (options.signal) addAbortSignal(options.signal, this);
  }

  /** Whether one of the transports has a connection. */
  isConnected(): boolean {
    return this.channel !== undefined && !this.destroyed;
  }

  /** The connectionInfo entry of the connected peer; still there when the connection is gone. */
  get remoteAddress(): Endpoint | undefined {
    return this.channel?.remote;
  }

  /** This end of the connection, where the transport knows it; undefined while not connected, as in `net`. */
  get localAddress(): Endpoint | undefined {
    return this.isConnected() ? this.channel?.local : undefined;
  }

  /** The word of the transport in use, such as `tcp`. */
  get transport(): string | undefined {
    return this.#transport?.type;
  }

  /** The public key the peer has proved, as in a connectionInfo entry; undefined without a session. */
  get remotePublicKey(): string | undefined {
    return this.channel?.remotePublicKey;
  }

  /**
   * Messages beside the stream, 0 to 255, as `signaling.introducer` uses them. Undefined without a session, and while
   * not connected.
   */
  lane(number: number): MessageLane | undefined {
    return this.isConnected() ? this.channel?.lane?.(number) : undefined;
  }

  /** Every attempt of the last dial on a time line; empty on a server's sockets. */
  get report(): readonly AttemptReport[] {
    return this.#report;
  }

  /** As `connect`; resolves when connected, rejects with what `'error'` would say. */
  connectP(connectionInfo: ConnectionInfo | Endpoint): Promise<this> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        this.off("connect", settle).off("error", settle).off("close", closed);
        if (error) reject(error);
        else resolve(this);
      };
      const closed = (): void => settle(closedBeforeConnection());
      this.connect(connectionInfo, settle);
      this.once("error", settle).once("close", closed);
    });
  }

  /**
   * Dials the server that gave out `connectionInfo`. What is wrong with it comes as an `'error'` event.
   * @throws ERR_INVALID_ARG_TYPE if it is neither an array nor an object, EISCONN while connecting or connected.
   */
  connect(connectionInfo: ConnectionInfo | Endpoint, onConnect?: () => void): this {
    checkConnectionInfo(connectionInfo);
    checkOptional("onConnect", onConnect, "function");
    if (this.connecting || this.isConnected()) {
      throw nodeError("EISCONN", "connect EISCONN: this socket is connecting or connected already");
    }
    const transports = this.#transports ?? [this.#transport!];
    this.#transports = transports;
    this.#transport = undefined;
    this.startConnecting((reason) => {
      this.#dial?.abort(reason);
      this.#dial = undefined;
    });
    if (onConnect) this.once("connect", onConnect);
    try {
      const options = { ...this.#settings, transports };
      const dial = new Dial(parseConnectionInfo(connectionInfo), options);
      this.#dial = dial;
      this.#report = dial.report;
      dial.run().then(
        (channel) => nextTick(() => this.#connected(dial, channel)),
        (error) => this.#dial === dial && this.fail(error),
      );
    } catch (error) {
      this.fail(error as Error);
    }
    return this;
  }

  #connected(dial: Dial, channel: Channel): void {
    if (this.destroyed || this.#dial !== dial) {
      channel.abort();
      return;
    }
    this.#dial = undefined;
    this.#transport = dial.transport;
    // What is written at once shares a record with the confirmation.
    dial.confirm();
    this.finishConnecting(channel);
  }

  /** `localAddress`, or an empty object when not connected. */
  address(): Endpoint | Record<string, never> {
    return this.localAddress ?? {};
  }
}
