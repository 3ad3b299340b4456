import { crypto } from "#platform";
import { type Drive, drive } from "../../../src/base/drive.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { JsonObject } from "../../../src/contract/endpoint.ts";
import type { NatBehaviour } from "../../../src/nat/behaviour.ts";
import { reachFrom } from "../../../src/nat/reach.ts";
import { TcpPunch, type TcpPunchOptions } from "../../../src/nat/tcp/punch.ts";
import type { LinkFrame, TcpPunchEvent } from "../../../src/nat/tcp/punch-event.ts";
import type { TcpHost, TcpSink, TcpSocket } from "./tcp-internet.ts";

/** A punch on a host, with its sockets. What it says goes to `onSignal`. */
export class TcpSide {
  readonly punch: TcpPunch;
  readonly host: TcpHost;
  readonly signals: JsonObject[] = [];
  onSignal: (body: JsonObject) => void = () => {};
  /** It leaves the dialog. */
  onLeave: () => void = () => {};
  /** How it ended, and when. */
  outcome: { readonly chosen?: SocketAddress & { readonly kind: string }; readonly at: number } | undefined;
  readonly #drive: Drive;
  readonly #sockets = new Map<number, TcpSocket>();
  /** Where it listens. */
  readonly listening: number;
  readonly #shared: number;
  #ports = 40_000;

  constructor(host: TcpHost, opener: boolean, options: Partial<TcpPunchOptions> = {}) {
    const { clock, random } = host.internet;
    this.host = host;
    this.#shared = 50_000 + random.integer(10_000);
    const own = { name: "eth0", address: host.inner, family: "IPv4", prefix: 24, internal: false } as const;
    const reach = reachFrom([own]);
    this.punch = new TcpPunch({ random, crypto, opener, reach, families: [4], ...options });
    this.#drive = drive<TcpPunchEvent, LinkFrame>(
      this.punch,
      clock,
      ({ link, data }) => this.#sockets.get(link)?.write(data),
      (event) => this.#onEvent(event),
    );
    this.listening = this.#shared - 10_000;
    host.listen(this.listening, (socket) => this.#accepted(socket));
    this.punch.addCandidate({ kind: "listening", address: host.inner, port: this.listening });
    this.punch.addCandidate({ kind: "host", address: host.inner, port: this.#shared });
    this.#drive.wake();
  }

  /** What servers say is known. */
  gathered(nat: NatBehaviour = { mapping: "endpoint-independent" }): void {
    const port = this.host.outerPort(this.#shared, { address: "5.9.0.1", port: 3478 });
    this.do(() => {
      this.punch.addCandidate({ kind: "reflexive", address: this.host.outer, port });
      this.punch.complete(nat, this.host.internet.clock.now());
    });
  }

  /** Does something to the punch, and what follows. */
  do(work: (now: number) => void): void {
    work(this.host.internet.clock.now());
    this.#drive.wake();
  }

  hear(body: JsonObject): void {
    this.do((now) => this.punch.handleSignal(body, now));
  }

  #onEvent(event: TcpPunchEvent): void {
    if (event.type === "signal") {
      this.signals.push(event.body);
      this.onSignal(event.body);
    } else if (event.type === "connect") {
      const port = event.shared ? this.#shared : this.#ports++;
      const sink = this.#sinkOf(event.link);
      this.#sockets.set(event.link, this.host.connect(port, event.remote, sink));
    } else if (event.type === "await") this.host.listen(this.#shared, (socket) => this.#accepted(socket));
    else if (event.type === "close") this.#sockets.get(event.link)?.close();
    else this.#finish(event);
  }

  #finish(event: TcpPunchEvent): void {
    const at = this.host.internet.clock.now();
    this.#drive.stop();
    const chosen = event.type === "chosen" ? event : undefined;
    for (const [link, socket] of this.#sockets) if (link !== chosen?.link) socket.close();
    this.onLeave();
    this.outcome = { at, ...(chosen && { chosen: { ...chosen.remote, kind: chosen.kind } }) };
  }

  #sinkOf(link: number): TcpSink {
    return {
      onOpen: () => this.do((now) => this.punch.opened(link, now)),
      onData: (data) => this.do((now) => this.punch.handleFrame(link, data, now)),
      onClosed: () => this.do((now) => this.punch.closed(link, now)),
    };
  }

  #accepted(socket: TcpSocket): TcpSink {
    let link: number | undefined;
    return {
      onOpen: () =>
        this.do((now) => {
          link = this.outcome ? undefined : this.punch.accepted(socket.remote, now);
          if (link === undefined) socket.close();
          else this.#sockets.set(link, socket);
        }),
      onData: (data) => this.do((now) => this.punch.handleFrame(link!, data, now)),
      onClosed: () => this.do((now) => this.punch.closed(link!, now)),
    };
  }
}

/** Two sides whose signals take `delay` ms there, and back, each of which knows its reflexive address after some ms; resolved when both are done. */
export function meet(
  opener: TcpSide,
  acceptor: TcpSide,
  { delay = [40, 40], gathering = [80, 80], nats = [] as readonly NatBehaviour[] } = {},
): void {
  const { clock } = opener.host.internet;
  const after = (ms: number, task: () => void) => void clock.setTimer(clock.now() + ms, task);
  const join = (from: TcpSide, to: TcpSide, delay: number): void => {
    for (const body of from.signals) after(delay, () => to.hear(body));
    from.onLeave = () => after(delay, () => !to.outcome && to.do((now) => to.punch.leave(now)));
    from.onSignal = (body) => after(delay, () => !to.outcome && to.hear(body));
  };
  join(opener, acceptor, delay[0]!);
  join(acceptor, opener, delay[1]!);
  after(gathering[0]!, () => opener.gathered(nats[0]));
  after(delay[0]! + gathering[1]!, () => acceptor.gathered(nats[1]));
  clock.advance(30_000);
}
