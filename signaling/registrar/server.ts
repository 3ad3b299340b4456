import {
  crypto,
  nextTick,
  runtime,
  tcp,
  type WebAnswer,
  type WebClient,
  type WebServer,
  webSockets,
} from "#platform";
import { drive } from "../../src/base/drive.ts";
import { formatIp, ipFamily, ipScope, parseIp, scopeOf } from "../../src/base/ip.ts";
import { ownAddresses } from "../../src/base/listening.ts";
import { withoutZone } from "../../src/base/socket-address.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { WebSocketLink, WebSocketSink } from "../../src/contract/web-socket.ts";
import { StunServer } from "../../src/host/stun-server.ts";
import { performTask } from "./clerk.ts";
import type { DirectoryTask, Outgoing } from "./mailroom.ts";
import { formatMetrics } from "./metrics.ts";
import { type CreateRegistrarOptions, type RegistrarSettings, registrarSettings } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { originOf } from "./proof.ts";
import { MAX_FRAME, type RegistrarServices } from "./protocol.ts";
import { Registrar } from "./registrar.ts";
import { stunAddresses, stunServices, turnService } from "./services.ts";

/** Connections above a limit that still learn why, or ask for `/metrics` (chosen). */
const SPARE_CONNECTIONS = 256;

/** Bytes that the system holds for a connection before dialogs take turns (chosen: one segment's worth or two of the fastest). */
const LENT_AT_MOST = 65_536;

/** A registrar that listens. */
export interface RegistrarServer {
  /** For `new WebSocketSignaling({ url })`: the `urls` given, else one for each own address. */
  readonly urls: readonly string[];
  /** The first of them. */
  readonly url: string;
  /** Where it listens. */
  address(): SocketAddress;
  /** Where it answers STUN Binding requests, over UDP and TCP. */
  readonly stun: readonly SocketAddress[];
  /** Takes nothing new, lets dialogs end for `drainTimeout`, then cuts who is left. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a registrar: the meeting point of `WebSocketSignaling`. It also answers GET `/healthz` and
 * `/metrics`. Rejects with an errno code, and throws on wrong options.
 */
export async function createRegistrar(options: CreateRegistrarOptions = {}): Promise<RegistrarServer> {
  const settings = registrarSettings(options);
  const host = new RegistrarHost(settings);
  await host.listen();
  return host;
}

class RegistrarHost implements RegistrarServer {
  readonly #settings: RegistrarSettings;
  readonly #registrar: Registrar;
  readonly #drive;
  readonly #links = new Map<number, WebSocketLink>();
  readonly #origins: ReadonlySet<string>;
  /** What waits for connections that are slow to read. */
  readonly #waiting = new Map<number, Outbox<string>>();
  /** Connections that there are relayed frames for. */
  readonly #relayed = new Set<number>();
  #connections = 0;
  #web: WebServer | undefined;
  #stun: StunServer | undefined;
  #leaveDirectory: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(settings: RegistrarSettings) {
    this.#settings = settings;
    this.#origins = new Set(settings.urls.map((url) => originOf(url)!));
    this.#registrar = new Registrar({
      crypto,
      random: runtime.random,
      limits: settings.limits,
      token: settings.token,
      ownsOrigin: (origin) => this.#ownsOrigin(origin),
      services: (client) => this.#servicesFor(client),
      onRelayed: settings.relay === false ? undefined : (connection) => this.#relaySoon(connection),
    });
    this.#drive = drive(
      this.#registrar,
      runtime.clock,
      (out) => this.#send(out),
      (task) => void this.#perform(task),
    );
  }

  get url(): string {
    return this.urls[0]!;
  }

  get urls(): readonly string[] {
    const { urls, tls } = this.#settings;
    if (urls.length > 0) return urls;
    const { address, port } = this.address();
    const wildcard = ipScope(address) === "unspecified";
    const own = wildcard ? ownAddresses(runtime.interfaces(), ipFamily(address) === 4 ? 4 : 0) : [address];
    const literals = wildcard ? own.filter((literal) => !literal.includes("%")) : own;
    const hosts = literals.map((literal) => (literal.includes(":") ? `[${literal}]` : literal));
    if (wildcard) hosts.push("localhost");
    return hosts.map((host) => `${tls ? "wss" : "ws"}://${host}:${port}`);
  }

  address(): SocketAddress {
    return this.#web!.address;
  }

  get stun(): readonly SocketAddress[] {
    return this.#stun?.locals ?? [];
  }

  async listen(): Promise<void> {
    const { listenWeb } = await webSockets();
    const { directory, port, host, tls, limits, trustProxy } = this.#settings;
    this.#leaveDirectory = await directory.subscribe(this.#registrar.name, (post) => {
      this.#registrar.handlePost(post, runtime.clock.now());
      this.#drive.wake();
    });
    try {
      this.#web = await listenWeb({
        port,
        host,
        tls,
        maxMessage: MAX_FRAME,
        maxConnections: limits.connections + SPARE_CONNECTIONS,
        // A proxy has them all.
        maxConnectionsPerAddress: trustProxy ? undefined : limits.connectionsPerAddress + SPARE_CONNECTIONS,
        answer: (path) => this.#answer(path),
        accept: (link, client) => this.#accept(link, client),
      });
      await this.#listenStun();
    } catch (error) {
      await this.#web?.close();
      await this.#leaveDirectory();
      throw error;
    }
  }

  async #listenStun(): Promise<void> {
    const { stun: options = {} } = this.#settings;
    const { bindDatagram } = runtime;
    if (!options || !bindDatagram || !tcp) return;
    const { port = 0, alternatePort } = options;
    const addresses = stunAddresses(options, this.address().address, runtime.interfaces());
    this.#stun = await StunServer.listen(bindDatagram, tcp, runtime, { addresses, port, alternatePort });
  }

  #servicesFor(client: string): RegistrarServices {
    const { stun, turn } = this.#settings;
    const ports = this.stun.map(({ port }) => port);
    return {
      stun: stunServices(stun || {}, ports),
      turn: turn ? [turnService(crypto, turn, client, runtime.clock.wall())] : [],
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#web!.close();
    const emptied = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    this.#registrar.drain(runtime.clock.now());
    this.#drive.wake();
    const end = runtime.clock.now() + this.#settings.drainTimeout;
    const timer = runtime.clock.setTimer(end, () => {
      for (const link of this.#links.values()) link.terminate();
    });
    if (this.#links.size > 0) await emptied;
    timer.cancel();
    this.#drive.stop();
    await this.#leaveDirectory!();
    await this.#stun?.close();
    await closed;
  }

  #accept(link: WebSocketLink, client: WebClient): WebSocketSink {
    this.#connections++;
    const id = this.#connections;
    this.#links.set(id, link);
    this.#registrar.handleConnect(id, this.#addressOf(client), runtime.clock.now());
    this.#drive.wake();
    return {
      onMessage: (message) => {
        const now = runtime.clock.now();
        if (typeof message === "string") this.#registrar.handleFrame(id, message, now);
        else this.#registrar.handleRelayed(id, message, now);
        this.#drive.wake();
      },
      onDrain: () => this.#flush(id),
      onClose: () => {
        this.#links.delete(id);
        this.#waiting.delete(id);
        this.#registrar.handleDisconnect(id, runtime.clock.now());
        this.#drive.wake();
        if (this.#links.size === 0) this.#onEmpty?.();
      },
    };
  }

  #send(out: Outgoing): void {
    const link = this.#links.get(out.connection);
    if (!link) return;
    if ("cut" in out) {
      link.close(out.cut.status, out.cut.reason);
      return;
    }
    const { connection, frame, dialog } = out;
    const waiting = this.#waiting.get(connection);
    if (waiting || link.buffered >= LENT_AT_MOST) this.#sendLater(connection, frame, dialog);
    else link.send(frame);
  }

  /** Whoever does not read loses the dialog that has most for it, and the connection if it is none of them. */
  #sendLater(connection: number, frame: string, dialog: number | undefined): void {
    const outbox = this.#waiting.get(connection) ?? new Outbox();
    this.#waiting.set(connection, outbox);
    outbox.push([frame], dialog);
    if (outbox.size <= this.#settings.limits.bufferedBytes) return;
    const flooded = outbox.dropLargest();
    if (flooded !== undefined) {
      this.#registrar.handleUnread(connection, flooded);
      return;
    }
    this.#registrar.counters.cuts++;
    this.#registrar.handleDisconnect(connection, runtime.clock.now());
    this.#links.get(connection)?.terminate();
  }

  #flush(connection: number): void {
    const link = this.#links.get(connection);
    const outbox = this.#waiting.get(connection);
    if (!link) return;
    outbox?.flush((frame) => {
      if (link.buffered >= LENT_AT_MOST) return false;
      link.send(frame);
      return true;
    });
    if (outbox?.size === 0) this.#waiting.delete(connection);
    this.#relay(connection);
  }

  /** Once for all that has come by now. */
  #relaySoon(connection: number): void {
    if (this.#relayed.size === 0) nextTick(() => this.#relayAll());
    this.#relayed.add(connection);
  }

  #relayAll(): void {
    const connections = [...this.#relayed];
    this.#relayed.clear();
    for (const connection of connections) this.#relay(connection);
  }

  /** Relayed frames leave only when nothing else waits, so that signals overtake them. */
  #relay(connection: number): void {
    const link = this.#links.get(connection);
    while (link && !link.lent && !this.#waiting.has(connection)) {
      const frame = this.#registrar.relay?.take(connection);
      if (!frame) return;
      link.send(frame);
    }
  }

  async #perform(task: DirectoryTask): Promise<void> {
    const answer = await performTask(this.#settings.directory, task);
    this.#registrar.handleAnswer(task, answer);
    this.#drive.wake();
  }

  #answer(path: string): WebAnswer {
    if (path === "/healthz")
      return this.#closing ? { status: 503, body: "draining\n" } : { status: 200, body: "ok\n" };
    if (path !== "/metrics") return { status: 404, body: "this is a 1tp registrar: open a WebSocket\n" };
    return {
      status: 200,
      body: formatMetrics(this.#registrar, this.#stun?.responder),
    };
  }

  /** The proxy in front of us has appended who asked it; what stands before that anybody can have written. */
  #addressOf({ address, forwardedFor }: WebClient): string {
    const forwarded = this.#settings.trustProxy ? forwardedFor.split(",").at(-1)!.trim() : "";
    // Some proxies write the port as well.
    const host = /^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(forwarded);
    const ip = parseIp(host?.[1] ?? host?.[2] ?? forwarded) ?? parseIp(address);
    return ip ? withoutZone(formatIp(ip)) : "::";
  }

  #ownsOrigin(origin: string): boolean {
    if (this.#settings.urls.length > 0) return this.#origins.has(origin);
    if (originOf(origin) !== origin) return false;
    const { tls } = this.#settings;
    const parsed = new URL(origin.replace(/^ws/, "http"));
    const port = Number(parsed.port || (parsed.protocol === "https:" ? 443 : 80));
    if (port !== this.address().port || parsed.protocol !== (tls ? "https:" : "http:")) return false;
    const ip = parseIp(parsed.hostname.replace(/^\[|\]$/g, ""));
    if (!ip) return parsed.hostname === "localhost";
    const literal = formatIp(ip);
    return scopeOf(ip) === "loopback" || runtime.interfaces().some(({ address }) => address === literal);
  }
}
