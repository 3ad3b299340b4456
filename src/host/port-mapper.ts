import { type Drive, drive } from "../base/drive.ts";
import { inSubnet, ipScope, parseIp } from "../base/ip.ts";
import type { DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { GATEWAY_PORT } from "../nat/gateway/answer.ts";
import { type MappingEvent, PortMapping } from "../nat/gateway/port-mapping.ts";

/** A gateway that may be asked, and the own address from which. */
interface Way {
  readonly gateway: string;
  readonly client: string;
}

/**
 * Keeps one UDP port mapped by the gateway of this host, if that is a private one in a network of ours: nobody else is ever asked.
 * Does not keep the process alive; what fails is logged.
 */
export class PortMapper {
  readonly #port: number;
  readonly #runtime: Runtime;
  readonly #onMapped: (outer: SocketAddress) => void;
  #way: Way | undefined;
  #held: HeldMapping | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  /** `onMapped` hears where strangers reach the port, and when that is somewhere else. */
  constructor(port: number, runtime: Runtime, onMapped: (outer: SocketAddress) => void) {
    this.#port = port;
    this.#runtime = runtime;
    this.#onMapped = onMapped;
  }

  /** Where strangers reach the port now, as far as the gateway says. */
  get outer(): SocketAddress | undefined {
    return this.#held?.outer;
  }

  /** Looks whether we are in another network, and turns to its gateway. Never rejects. */
  refresh(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const way = await wayOut(this.#runtime);
    const same = way?.gateway === this.#way?.gateway && way?.client === this.#way?.client;
    if (this.#closed || same) return;
    this.#way = way;
    void this.#held?.close();
    this.#held = undefined;
    if (way) await this.#ask(way);
  }

  async #ask({ gateway, client }: Way): Promise<void> {
    const connect = { address: gateway, port: GATEWAY_PORT };
    const socket = await this.#runtime.bindDatagram?.({ address: client, connect }).catch(() => undefined);
    if (!socket) this.#way = undefined;
    else if (this.#closed) socket.close();
    else {
      const { random, clock } = this.#runtime;
      const mapping = new PortMapping({ random, gateway, client, port: this.#port }, clock.now());
      this.#held = new HeldMapping(mapping, socket, this.#runtime, this.#onMapped);
    }
  }

  /** Ends the mapping. Resolves when the gateway has heard so, or has not answered for 2 s. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#looking;
    await this.#held?.close();
  }
}

/** One mapping with its socket and the clock. */
class HeldMapping {
  outer: SocketAddress | undefined;
  readonly #mapping: PortMapping;
  readonly #socket: DatagramSocket;
  readonly #runtime: Runtime;
  readonly #onMapped: (outer: SocketAddress) => void;
  readonly #drive: Drive;
  readonly #closed: Promise<void>;

  constructor(
    mapping: PortMapping,
    socket: DatagramSocket,
    runtime: Runtime,
    onMapped: (outer: SocketAddress) => void,
  ) {
    this.#mapping = mapping;
    this.#socket = socket;
    this.#runtime = runtime;
    this.#onMapped = onMapped;
    this.#drive = drive(
      mapping,
      runtime.clock,
      ({ data, remote }) => void socket.send(data, remote),
      (event) => this.#onEvent(event),
    );
    socket.unref();
    this.#drive.unref();
    this.#closed = new Promise((resolve) => this.#attach(resolve));
    this.#drive.wake();
  }

  #attach(onClosed: () => void): void {
    this.#socket.attach({
      onDatagram: (data, { address, port }) =>
        this.#do((now) => this.#mapping.handleDatagram({ data, remote: { address, port } }, now)),
      onSendError: (code) => this.#do((now) => code === "ECONNREFUSED" && this.#mapping.handleRefusal(now)),
      onClose: () => {
        this.#drive.stop();
        onClosed();
      },
    });
  }

  #do(work: (now: number) => void): void {
    work(this.#runtime.clock.now());
    this.#drive.wake();
  }

  #onEvent(event: MappingEvent): void {
    if (event.type === "closed") this.#socket.close();
    else if (event.type === "mapped") {
      this.outer = event.outer;
      this.#runtime.log("the gateway maps %s:%d", event.outer.address, event.outer.port);
      this.#onMapped(event.outer);
    } else {
      this.outer = undefined;
      this.#runtime.log("the gateway maps no port: %s", event.why);
    }
  }

  close(): Promise<void> {
    this.outer = undefined;
    this.#do((now) => this.#mapping.close(now));
    return this.#closed;
  }
}

/** The gateway that packets to elsewhere take, if it is a private one in a network of ours. */
async function wayOut({ gateways, interfaces }: Runtime): Promise<Way | undefined> {
  const [gateway] = (await gateways?.().catch(() => [])) ?? [];
  const there = gateway === undefined ? undefined : parseIp(gateway);
  if (gateway === undefined || !there || ipScope(gateway) !== "private") return undefined;
  const own = interfaces().find(({ address, family, internal, prefix }) => {
    const here = family === "IPv4" && !internal ? parseIp(address) : undefined;
    return here && address !== gateway && inSubnet(there, here, prefix);
  });
  return own && { gateway, client: own.address };
}
