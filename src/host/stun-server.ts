import { codeOf } from "../base/errors.ts";
import type { DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { BindingResponder } from "../stun/responder.ts";
import { type BindDatagram, bindAddresses } from "./local-sockets.ts";
import { StunListener } from "./stun-listener.ts";
import { serveStun } from "./stun-port.ts";
import type { Net } from "./stun-stream.ts";

/** Free ports to try before UDP and TCP have the same (chosen: where outgoing connections hold most ports, eight were too few). */
const SAME_PORT_TRIES = 64;

/** Chosen: requests are small and few; the system's own size is enough. */
const BUFFER_SIZE = 212_992;

/** Where a STUN server is to answer. */
export interface StunServerOptions {
  /** Own addresses, each of which gets a socket. */
  readonly addresses: readonly string[];
  /** Over UDP and TCP; 0: any free one. */
  readonly port: number;
  /** A second port, so that clients can discover how their NAT behaves (RFC 5780); it needs a second address, too. */
  readonly alternatePort?: number | undefined;
}

/** Answers Binding requests over UDP and TCP, to everybody and within limits for each source. */
export class StunServer {
  /** Where it answers, over UDP and TCP. */
  readonly locals: readonly SocketAddress[];
  readonly responder: BindingResponder;
  readonly #sockets: readonly DatagramSocket[];
  readonly #listeners: readonly StunListener[];

  private constructor(
    sockets: readonly DatagramSocket[],
    listeners: readonly StunListener[],
    responder: BindingResponder,
  ) {
    this.locals = sockets.map(({ local }) => local);
    this.responder = responder;
    this.#sockets = sockets;
    this.#listeners = listeners;
  }

  /** Rejects with an errno code, and then holds nothing. */
  static async listen(
    bind: BindDatagram,
    net: Net,
    runtime: Runtime,
    options: StunServerOptions,
  ): Promise<StunServer> {
    for (let tries = options.port === 0 ? SAME_PORT_TRIES : 1; ; tries--) {
      const sockets = await bindAll(bind, options);
      const responder = new BindingResponder({ origins: sockets.map(({ local }) => local) });
      try {
        const listeners = await listenAll(net, sockets, responder, runtime);
        serveStun(sockets, runtime, responder);
        return new StunServer(sockets, listeners, responder);
      } catch (error) {
        for (const socket of sockets) socket.close();
        if (codeOf(error) !== "EADDRINUSE" || tries === 1) throw error;
      }
    }
  }

  /** Resolves when the ports are free. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}

async function bindAll(
  bind: BindDatagram,
  { addresses, port, alternatePort }: StunServerOptions,
): Promise<DatagramSocket[]> {
  const at = (port: number) => ({ bind: "", addresses, port });
  const sockets = await bindAddresses(bind, at(port), BUFFER_SIZE);
  if (alternatePort === undefined) return sockets;
  try {
    return [...sockets, ...(await bindAddresses(bind, at(alternatePort), BUFFER_SIZE))];
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
}

async function listenAll(
  net: Net,
  sockets: readonly DatagramSocket[],
  responder: BindingResponder,
  runtime: Runtime,
): Promise<StunListener[]> {
  const listeners: StunListener[] = [];
  try {
    for (const { local } of sockets)
      listeners.push(await StunListener.listen(net, local, responder, runtime));
    return listeners;
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
}
