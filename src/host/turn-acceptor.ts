import type { Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { CONNECTION_BIND, CONNECTION_ID } from "../turn/attributes.ts";
import { answerOf } from "../turn/failure.ts";
import { type NetSocket, StunStream } from "./stun-stream.ts";
import { connectStream, type TurnWay } from "./turn-link.ts";
import { type TurnSocket, turnError } from "./turn-socket.ts";

/** Peers that wait to be joined (chosen); the server forgets others in 30 s (RFC 6062 §5.3). */
const MAX_JOINING = 64;
/** How long the server may take to join a peer's connection and ours (chosen, as for an allocation). */
const BIND_SCHEDULE: readonly Millis[] = [5000];

/** What is needed of the allocation's socket. */
type Acceptable = Pick<TurnSocket, "server" | "credentials" | "attach">;

/**
 * Accepts what connects to a TCP allocation (RFC 6062): for each peer a connection of our own to the server, which carries
 * the peer's bytes from then on. One that cannot be joined is gone; the peer sees that.
 */
export class TurnAcceptor {
  /** Called when the allocation is no more, against our will. */
  onLost: ((error: Error) => void) | undefined;
  readonly #way: TurnWay;
  readonly #socket: Acceptable;
  readonly #runtime: Runtime;
  readonly #onConnection: (stream: NetSocket, remote: SocketAddress) => void;
  readonly #closing = new AbortController();
  #joining = 0;

  /** `way`: how the allocation was reached. The socket's sink is the acceptor; closing it is up to the caller. */
  constructor(
    way: TurnWay,
    socket: Acceptable,
    runtime: Runtime,
    onConnection: (stream: NetSocket, remote: SocketAddress) => void,
  ) {
    this.#way = way;
    this.#socket = socket;
    this.#runtime = runtime;
    this.#onConnection = onConnection;
    socket.attach({
      onDatagram() {},
      onAttempt: (connection, remote) => void this.#accept(connection, remote),
      onClose: (error) => this.#over(error),
    });
  }

  async #accept(connection: number, remote: SocketAddress): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted || this.#joining >= MAX_JOINING) return;
    this.#joining++;
    try {
      this.#onConnection(await this.#join(connection, signal), remote);
    } catch (error) {
      if (!signal.aborted) this.#runtime.log("turn: a peer was not joined: %s", (error as Error).message);
    } finally {
      this.#joining--;
    }
  }

  async #join(connection: number, signal: AbortSignal): Promise<NetSocket> {
    const { server } = this.#socket;
    const socket = await connectStream(this.#way, server, this.#runtime, signal);
    const stream = new StunStream(socket, server, this.#runtime);
    // Servers judge the request as one of the allocation's connection, and some hang up where a challenge would be due (coturn 4.6).
    const credentials = this.#socket.credentials.copy();
    try {
      const { message } = await stream.requests.request(
        {
          to: server,
          method: CONNECTION_BIND,
          attributes: [CONNECTION_ID.of(connection)],
          credentials,
          schedule: BIND_SCHEDULE,
        },
        signal,
      );
      const { failure } = answerOf(message);
      if (failure) throw turnError(failure, server);
      return stream.release();
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Joins nobody any more. */
  close(): void {
    this.#closing.abort();
  }

  #over(error: Error | undefined): void {
    this.close();
    if (error) this.onLost?.(error);
  }
}
