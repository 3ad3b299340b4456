import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** How a proxy of these tests behaves. */
export interface ProxySetup {
  readonly scheme: "http" | "https" | "socks5";
  /** Who may use it, as `name:password`; default anybody. */
  readonly user?: string;
  /** Where names lead; they are unknown to the system. */
  readonly names?: Readonly<Record<string, string>>;
  /** Of an https proxy. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A proxy that does what it is asked for. */
export class LocalProxy {
  /** Without credentials. */
  readonly url: string;
  /** What was asked for, such as `example.org:80`. */
  readonly asked: string[] = [];
  readonly #setup: ProxySetup;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(setup: ProxySetup, server: Server) {
    this.#setup = setup;
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.url = `${setup.scheme}://127.0.0.1:${port}`;
    server.on("connection", (client: Socket) => this.#keep(client));
    server.on(setup.tls ? "secureConnection" : "connection", (client: Socket) => {
      if (setup.tls) this.#keep(client);
      const serve = setup.scheme === "socks5" ? this.#serveSocks(client) : this.#serveHttp(client);
      serve.catch(() => client.destroy());
    });
  }

  static async start(setup: ProxySetup): Promise<LocalProxy> {
    const options = { allowHalfOpen: true, ...setup.tls };
    const server = setup.tls ? createTlsServer(options) : createServer(options);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new LocalProxy(setup, server);
  }

  /** Connections to it and from it. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** With credentials. */
  urlWith(user: string): string {
    return this.url.replace("://", `://${user}@`);
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async #serveHttp(client: Socket): Promise<void> {
    const head = await readHead(client);
    const [, target = ""] = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    const [, token = ""] = /\r\nProxy-Authorization: Basic (\S+)\r\n/.exec(head) ?? [];
    const { user } = this.#setup;
    if (user !== undefined && Buffer.from(token, "base64").toString() !== user) {
      client.end("HTTP/1.1 407 LocalProxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const [, host = "", port] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? [];
    const remote = await this.#reach(host, Number(port)).catch(() => undefined);
    if (remote) this.#join(client, remote, "HTTP/1.1 200 Connection established\r\n\r\n");
    else client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  }

  async #serveSocks(client: Socket): Promise<void> {
    const [, count] = await read(client, 2);
    const methods = await read(client, count!);
    const method = this.#setup.user === undefined ? 0 : 2;
    if (!methods.includes(method)) {
      client.end(Buffer.of(5, 0xff));
      return;
    }
    client.write(Buffer.of(5, method));
    if (method === 2 && !(await this.#knows(client))) return;
    const [, , , kind] = await read(client, 4);
    const length = kind === 1 ? 4 : kind === 4 ? 16 : (await read(client, 1))[0]!;
    const address = await read(client, length);
    const host = kind === 3 ? address.toString() : formatIp(address);
    const port = (await read(client, 2)).readUInt16BE();
    const reply = (code: number): Buffer => Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
    try {
      this.#join(client, await this.#reach(host, port), reply(0));
    } catch (error) {
      client.end(reply((error as NodeJS.ErrnoException).code === "ECONNREFUSED" ? 5 : 4));
    }
  }

  async #knows(client: Socket): Promise<boolean> {
    const [, nameLength] = await read(client, 2);
    const name = await read(client, nameLength!);
    const password = await read(client, (await read(client, 1))[0]!);
    const known = `${name}:${password}` === this.#setup.user;
    if (known) client.write(Buffer.of(1, 0));
    else client.end(Buffer.of(1, 1));
    return known;
  }

  async #reach(host: string, port: number): Promise<Socket> {
    this.asked.push(`${host}:${port}`);
    const socket = connect({ host: this.#setup.names?.[host] ?? host, port, allowHalfOpen: true });
    this.#keep(socket);
    await once(socket, "connect");
    return socket;
  }

  /** Its answer and the first bytes of the target may come together. */
  #join(client: Socket, remote: Socket, answer: string | Buffer): void {
    client.write(answer);
    for (const [from, to] of [
      [client, remote],
      [remote, client],
    ] as const) {
      from.pipe(to);
      from.on("close", () => (from.errored ? to.resetAndDestroy() : to.destroySoon()));
    }
  }
}

/** The next `count` bytes. Rejects when they do not come. */
async function read(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count);
    if (bytes) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error("gone");
    await Promise.race([once(socket, "readable"), once(socket, "close")]);
  }
}

async function readHead(socket: Socket): Promise<string> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += (await read(socket, 1)).toString("latin1");
  return head;
}

function formatIp(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(":");
}
