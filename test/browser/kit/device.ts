import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Tab } from "./lab.ts";

type Bytes = { readonly bytes: string };
type Answer = { readonly result?: unknown; readonly failure?: string };

/** Codes of Chrome's network stack (net_error_list.h). */
const CLOSED = -100;
const RESET = -101;
const FAILURES: Readonly<Record<string, readonly [code: number, message: string]>> = {
  ECONNREFUSED: [-102, "net::ERR_CONNECTION_REFUSED"],
  EADDRINUSE: [-147, "net::ERR_ADDRESS_IN_USE"],
};

/** What stands behind a page's `chrome.sockets`: real sockets, and this machine's interfaces. */
export class Device {
  readonly #tab: Tab;
  readonly #sockets = new Map<number, UdpSocket | Socket | Server>();
  #lastId = 0;
  /** The calls that were made, by method. */
  readonly calls = new Map<string, number>();

  private constructor(tab: Tab) {
    this.#tab = tab;
  }

  /** Answers what the page asks for from now on. */
  static async behind(tab: Tab): Promise<Device> {
    const device = new Device(tab);
    await tab.page.exposeFunction("device", (method: string, args: never[]) => device.#answer(method, args));
    return device;
  }

  close(): void {
    for (const socket of this.#sockets.values()) {
      if (socket instanceof Socket) socket.destroy();
      else socket.close();
    }
    this.#sockets.clear();
  }

  async #answer(method: string, args: never[]): Promise<Answer> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    const action = this.#actions[method];
    if (!action) throw new Error(`the page calls ${method}`);
    try {
      return { result: await action(...args) };
    } catch (error) {
      const [result, failure] = FAILURES[(error as { code: string }).code] ?? [-2, "net::ERR_FAILED"];
      return { result, failure };
    }
  }

  #happen(event: string, detail: object): void {
    if (this.#tab.page.isClosed()) return;
    this.#tab.evaluate(`happen("${event}", ${JSON.stringify(detail)})`).catch(() => undefined);
  }

  #add(socket: UdpSocket | Socket | Server): { socketId: number } {
    this.#lastId++;
    this.#sockets.set(this.#lastId, socket);
    return { socketId: this.#lastId };
  }

  #get<Kind>(id: number): Kind {
    return this.#sockets.get(id) as Kind;
  }

  #close(id: number): void {
    const socket = this.#sockets.get(id);
    this.#sockets.delete(id);
    if (socket instanceof Socket) socket.end();
    else socket?.close();
  }

  #createUdp(): { socketId: number } {
    const socket = createSocket("udp4");
    const { socketId } = this.#add(socket);
    socket.on("message", (data, { address, port }) => {
      const detail = { socketId, data: data.toString("base64"), remoteAddress: address, remotePort: port };
      this.#happen("udp.onReceive", detail);
    });
    return { socketId };
  }

  #addTcp(socket: Socket): { socketId: number } {
    const { socketId } = this.#add(socket);
    socket.on("data", (data) => this.#happen("tcp.onReceive", { socketId, data: data.toString("base64") }));
    socket.on("end", () => this.#happen("tcp.onReceiveError", { socketId, resultCode: CLOSED }));
    socket.on("error", () => this.#happen("tcp.onReceiveError", { socketId, resultCode: RESET }));
    return { socketId };
  }

  #createServer(): { socketId: number } {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const { socketId } = this.#add(server);
    server.on("connection", (socket) => {
      const { socketId: clientSocketId } = this.#addTcp(socket);
      this.#happen("tcpServer.onAccept", { socketId, clientSocketId });
    });
    return { socketId };
  }

  readonly #actions: Readonly<Record<string, (...args: never[]) => unknown>> = {
    "network.getNetworkInterfaces": () =>
      Object.entries(networkInterfaces()).flatMap(([name, found = []]) =>
        found.map(({ address, cidr }) => ({ name, address, prefixLength: Number(cidr?.split("/")[1]) })),
      ),
    "udp.create": () => this.#createUdp(),
    "udp.bind": async (id: number, address: string, port: number) => {
      const socket = this.#get<UdpSocket>(id);
      const listening = once(socket, "listening");
      socket.bind(port, address);
      await listening;
      return 0;
    },
    "udp.getInfo": (id: number) => {
      const { address, port } = this.#get<UdpSocket>(id).address();
      return { localAddress: address, localPort: port };
    },
    "udp.send": (id: number, { bytes }: Bytes, address: string, port: number) => {
      this.#sockets.has(id) && this.#get<UdpSocket>(id).send(Buffer.from(bytes, "base64"), port, address);
      return { resultCode: 0 };
    },
    "udp.close": (id: number) => this.#close(id),
    "tcp.create": () => this.#addTcp(new Socket({ allowHalfOpen: true })),
    "tcp.connect": async (id: number, host: string, port: number) => {
      const socket = this.#get<Socket>(id);
      const connected = once(socket, "connect");
      socket.pause().connect(port, host);
      await connected;
      return 0;
    },
    "tcp.setPaused": (id: number, paused: boolean) => {
      const socket = this.#get<Socket | undefined>(id);
      if (paused) socket?.pause();
      else socket?.resume();
    },
    "tcp.getInfo": (id: number) => {
      const { localAddress, localPort, remoteAddress, remotePort } = this.#get<Socket>(id);
      return { connected: true, localAddress, localPort, peerAddress: remoteAddress, peerPort: remotePort };
    },
    "tcp.send": (id: number, { bytes }: Bytes) => {
      const data = Buffer.from(bytes, "base64");
      return new Promise((resolve) => {
        this.#get<Socket>(id).write(data, (error) =>
          resolve(error ? { resultCode: RESET } : { resultCode: 0, bytesSent: data.length }),
        );
      });
    },
    "tcp.setNoDelay": () => 0,
    "tcp.setKeepAlive": () => 0,
    "tcp.close": (id: number) => this.#close(id),
    "tcpServer.create": () => this.#createServer(),
    "tcpServer.listen": async (id: number, address: string, port: number) => {
      const server = this.#get<Server>(id);
      const listening = once(server, "listening");
      server.listen(port, address);
      await listening;
      return 0;
    },
    "tcpServer.getInfo": (id: number) => {
      const { address, port } = this.#get<Server>(id).address() as AddressInfo;
      return { localAddress: address, localPort: port };
    },
    "tcpServer.close": (id: number) => this.#close(id),
  };
}
