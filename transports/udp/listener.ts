import { codeOf, systemError } from "../../src/base/errors.ts";
import { type ListeningRequest, listeningRequests, relaxedRequest } from "../../src/base/listening.ts";
import type { DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { ConnectionInfo } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { bindAddresses } from "../../src/host/local-sockets.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { StunPort } from "../../src/host/stun-port.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { BindingResponder } from "../../src/stun/responder.ts";
import { type UdpParts, type UdpPorts, udpChannel, udpEndpoint } from "./ports.ts";

/** Listens on what the context asks for: all of it, or rejects with the system's error and holds nothing. */
export async function listenUdp(parts: UdpParts, context: ListenContext): Promise<Listener> {
  const { listeningInfo, runtime, exclusive } = context;
  const sockets: DatagramSocket[] = [];
  try {
    for (const request of listeningRequests(listeningInfo, runtime.interfaces(), exclusive)) {
      sockets.push(...(await bindIndicated(parts, context, request)));
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return new UdpListener(
    sockets.map((socket) => new SharedHost(new UtpHost(socket, runtime))),
    parts,
    context,
  );
}

async function bindIndicated(
  parts: UdpParts,
  context: ListenContext,
  request: ListeningRequest,
): Promise<DatagramSocket[]> {
  try {
    const sockets = await bindAddresses(parts.bind, request, parts.bufferSize);
    if (sockets.length === 0) throw systemError("EADDRNOTAVAIL", "bind", request.bind, request.port);
    return sockets;
  } catch (error) {
    const weaker = relaxedRequest(request, codeOf(error), context.runtime.interfaces());
    if (context.exclusive || !weaker) throw error;
    return bindIndicated(parts, context, weaker);
  }
}

/** Sockets on which connections are accepted, as one listener. */
class UdpListener implements Listener {
  readonly endpoints: ConnectionInfo;
  readonly stun: readonly SocketAddress[];
  readonly #hosts: readonly SharedHost[];
  readonly #ports: UdpPorts;
  #referenced = true;
  #closing: Promise<void> | undefined;

  constructor(hosts: readonly SharedHost[], { ports, connection }: UdpParts, context: ListenContext) {
    this.#hosts = hosts;
    this.#ports = ports;
    this.endpoints = hosts.map(({ host }) => udpEndpoint(host.socket.local));
    this.stun = context.answerStun ? hosts.map(({ host }) => host.socket.local) : [];
    if (context.answerStun) answerStun(hosts, context.runtime);
    for (const shared of hosts) {
      ports.add(shared);
      shared.keep(true);
      shared.host.onLost = (error) => context.onError(error);
      shared.host.listen(
        (accepted) => context.onChannel(udpChannel(shared, accepted, udpEndpoint(accepted.remote), false)),
        connection,
      );
    }
  }

  /** Resolves when the ports are free, or held by nothing but channels in use. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.unref();
    await Promise.all(
      this.#hosts.map((shared) => {
        this.#ports.remove(shared);
        shared.host.stopListening();
        shared.host.demultiplexer.stun = undefined;
        return shared.retire();
      }),
    );
  }

  ref(): void {
    if (!this.#closing) this.#keep(true);
  }

  unref(): void {
    this.#keep(false);
  }

  #keep(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    for (const shared of this.#hosts) shared.keep(referenced);
  }
}

/** Answers Binding requests beside uTP: who dials here learns where its NAT shows it. */
function answerStun(hosts: readonly SharedHost[], runtime: Runtime): void {
  const responder = new BindingResponder();
  for (const { host } of hosts) {
    host.demultiplexer.stun = new StunPort(host.socket, runtime, { responder });
  }
}
