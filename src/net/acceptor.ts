import { preferredCipher } from "#platform";
import { codeOf, nodeError, OnetpError, toError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import type { Channel } from "../contract/channel.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Listener, Transport } from "../contract/transport.ts";
import type { Identity } from "../session/identity.ts";
import { Admission } from "./admission.ts";
import { combineErrors, type Failure } from "./combined-error.ts";
import { type DialPolicy, peerHostRule } from "./dial-policy.ts";
import { IncomingDialogs } from "./incoming-dialogs.ts";
import type { Authorize } from "./security.ts";

/** What a server's transports are to do. */
export interface AcceptorOptions {
  readonly runtime: Runtime;
  readonly transports: readonly Transport[];
  readonly listeningInfo: readonly Endpoint[];
  readonly exclusive: boolean;
  /** Which addresses that a peer names may be sent to. */
  readonly dialPolicy?: DialPolicy | undefined;
  /** Answer STUN Binding requests where a transport can. */
  readonly answerStun: boolean;
  /** Undefined: plain connections. */
  readonly security: { readonly identity: Identity; readonly authorize: Authorize | undefined } | undefined;
  /** A connection, its session established. */
  onChannel(channel: Channel, transport: Transport): void;
  /** One transport cannot listen, or does not any longer. */
  onTransportError(error: Error, transport: Transport): void;
  /** The last listener broke. */
  onBroken(error: Error): void;
}

/** What diallers need for a session; the cipher where it is not the one that most of them take anyway. */
function announced({ publicKey }: Identity): Pick<Endpoint, "publicKey" | "suite"> {
  return preferredCipher === "AESGCM" ? { publicKey } : { publicKey, suite: preferredCipher };
}

/** The listeners of a server's transports, from `listen` to `close`. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #admission: Admission | undefined;
  readonly #dialogs: IncomingDialogs;
  /** By transport; in their order, with gaps for those that do not listen. */
  readonly #listeners: (Listener | undefined)[] = [];
  readonly #failures: Failure[] = [];
  #opening: Promise<unknown> | undefined;
  #referenced = true;
  #closed = false;

  constructor(options: AcceptorOptions) {
    const { runtime, security } = options;
    this.#options = options;
    this.#admission = security && new Admission({ runtime, ...security });
    this.#dialogs = new IncomingDialogs({ runtime, security });
  }

  /** Where the server can be reached, in the order of the transports. */
  get endpoints(): ConnectionInfo {
    const { security } = this.#options;
    const common = { version: VERSION, ...(security ? announced(security.identity) : {}) };
    return this.#listeners.flatMap((listener) =>
      (listener?.endpoints ?? []).map((endpoint) => ({ ...endpoint, ...common })),
    );
  }

  /** Where STUN Binding requests are answered. */
  get stun(): readonly SocketAddress[] {
    return this.#listeners.flatMap((listener) => listener?.stun ?? []);
  }

  /** Resolves when every transport has listened or failed; rejects when all have failed. */
  async open(): Promise<void> {
    const { transports } = this.#options;
    this.#opening = Promise.all(
      transports.map((transport, i) =>
        this.#listen(transport, i).catch((error) => this.#failed(toError(error), transport)),
      ),
    );
    await this.#opening;
    this.#opening = undefined;
    if (this.#closed || this.#listeners.some(Boolean)) return;
    const failures = this.#failures;
    throw failures.length === 1 ? failures[0]!.error : combineErrors("listen", failures);
  }

  async #listen(transport: Transport, index: number): Promise<void> {
    if (!transport.listen) {
      throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "it cannot listen", transport: transport.type });
    }
    const { runtime, exclusive, listeningInfo, answerStun, dialPolicy } = this.#options;
    const mayDial = peerHostRule(dialPolicy);
    let lost: Error | undefined;
    const onLost = (error: Error): void => {
      lost = error;
      this.#lost(error, transport, index);
    };
    const listener = await transport.listen({
      runtime,
      exclusive,
      answerStun,
      ...(mayDial ? { mayDial } : {}),
      listeningInfo: listeningInfo.filter(({ transportType }) => transportType === transport.type),
      onChannel: (channel) => this.#accept(channel, transport),
      onError: (error) => this.#broken(error, transport, index),
      onDialog: (signaling, transportType, accept) =>
        this.#dialogs.register({ signaling, transportType, accept, onLost }),
    });
    checkListener(listener);
    if (this.#closed || lost) {
      await listener.close();
      if (lost) throw lost;
      return;
    }
    this.#listeners[index] = listener;
    if (!this.#referenced) listener.unref();
  }

  #accept(channel: Channel, transport: Transport): void {
    if (this.#closed) channel.abort();
    else if (!this.#admission) this.#options.onChannel(channel, transport);
    else this.#admission.admit(channel, (session) => this.#options.onChannel(session, transport));
  }

  /** It can no longer be signalled, which is all it was listening for. */
  #lost(error: Error, transport: Transport, index: number): void {
    const listener = this.#listeners[index];
    if (!listener) return;
    // Whatever it has to say about that, it is over.
    listener.close().catch(() => {});
    this.#broken(error, transport, index);
  }

  #broken(error: Error, transport: Transport, index: number): void {
    if (this.#closed) return;
    this.#listeners[index] = undefined;
    if (this.#opening || this.#listeners.some(Boolean)) this.#failed(error, transport);
    else this.#options.onBroken(error);
  }

  #failed(error: Error, transport: Transport): void {
    this.#failures.push({ error, description: `${transport.type} ${codeOf(error) ?? error.message}` });
    if (this.#options.transports.length > 1 && !this.#closed) {
      this.#options.onTransportError(error, transport);
    }
  }

  /** Stops accepting. Resolves when every port is free, those included that were about to be taken. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#admission?.close();
    this.#dialogs.close();
    await Promise.allSettled([this.#opening, ...this.#listeners.map((listener) => listener?.close())]);
  }

  ref(): void {
    this.#referenced = true;
    for (const listener of this.#listeners) listener?.ref();
  }

  unref(): void {
    this.#referenced = false;
    for (const listener of this.#listeners) listener?.unref();
  }
}

/** A transport may be the user's code: a wrong result says so at once. */
function checkListener(listener: unknown): asserts listener is Listener {
  const { endpoints, close } = (listener ?? {}) as Partial<Listener>;
  if (Array.isArray(endpoints) && typeof close === "function") return;
  throw nodeError(
    "ERR_INVALID_RETURN_VALUE",
    "A transport's listen() must resolve with a Listener",
    TypeError,
  );
}
