import { crypto } from "#platform";
import { performTask } from "../../../signaling/registrar/clerk.ts";
import { limitsWith, type RegistrarLimits } from "../../../signaling/registrar/limits.ts";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import { Registrar } from "../../../signaling/registrar/registrar.ts";
import type { Environment } from "../../../signaling/websocket/connection.ts";
import { type Drive, drive } from "../../../src/base/drive.ts";
import { systemError } from "../../../src/base/errors.ts";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { Instant } from "../../../src/contract/clock.ts";
import type { Directory } from "../../../src/contract/directory.ts";
import type { WebSocketClose, WebSocketLink, WebSocketSink } from "../../../src/contract/web-socket.ts";
import type { VirtualClock } from "../../kit/virtual-clock.ts";

/** Ms a frame takes one way. */
export const LATENCY = 20;

/** Where the registrar is. */
export const URL_HERE = "ws://registrar.test";

/** A host in virtual time on which a registrar runs, dies and comes back. */
export class RegistrarHost {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** When each connection was begun. */
  readonly dials: Instant[] = [];
  /** The network swallows everything, in both directions. */
  silent = false;
  /** What becomes of a frame of the registrar on its way to a client; default: itself. */
  meddle: (frame: string) => readonly string[] = (frame) => [frame];
  readonly #limits: Partial<RegistrarLimits>;
  readonly #url: string;
  readonly #directory: Directory | undefined;
  readonly #links = new Map<number, SimulatedLink>();
  #registrar: Registrar | undefined;
  #drive: Drive | undefined;
  #ids = 0;

  /** Hosts that are given one `directory` are a cluster. */
  constructor(
    clock: VirtualClock,
    seed = 1,
    limits: Partial<RegistrarLimits> = {},
    { url = URL_HERE, directory }: { readonly url?: string; readonly directory?: Directory } = {},
  ) {
    this.clock = clock;
    this.random = seededRandom(seed);
    this.#limits = limits;
    this.#url = url;
    this.#directory = directory;
    this.start();
  }

  get registrar(): Registrar {
    return this.#registrar!;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** What a client on this network stands on. */
  environment(): Environment {
    const { clock, random } = this;
    return { clock, random, crypto, open: (_url, sink) => this.open(sink) };
  }

  start(): void {
    const directory = this.#directory ?? new MemoryDirectory();
    const registrar = new Registrar({
      crypto,
      random: this.random,
      limits: limitsWith(this.#limits),
      ownsOrigin: (origin) => origin === this.#url,
    });
    const driven = drive(
      registrar,
      this.clock,
      (out) => {
        const link = this.#links.get(out.connection);
        if ("cut" in out) link?.end(out.cut);
        else for (const frame of this.meddle(out.frame)) link?.deliver(frame);
      },
      (task) => {
        void performTask(directory, task).then((answer) => {
          registrar.handleAnswer(task, answer);
          driven.wake();
        });
      },
    );
    void directory.subscribe(registrar.name, (post) => {
      registrar.handlePost(post, this.clock.now());
      driven.wake();
    });
    this.#registrar = registrar;
    this.#drive = driven;
  }

  /** The process dies: its connections are reset. */
  kill(): void {
    this.#drive?.stop();
    this.#registrar = undefined;
    for (const link of this.#links.values()) link.end({ status: 1006, reason: "" });
  }

  drain(): void {
    this.#registrar?.drain(this.clock.now());
    this.#drive?.wake();
  }

  after(task: () => void): void {
    this.clock.setTimer(this.clock.now() + LATENCY, task);
  }

  frameFrom(id: number, frame: string): void {
    this.#registrar?.handleFrame(id, frame, this.clock.now());
    this.#drive?.wake();
  }

  gone(id: number): void {
    this.#links.delete(id);
    this.#registrar?.handleDisconnect(id, this.clock.now());
    this.#drive?.wake();
  }

  /** A connection to it. */
  open(sink: WebSocketSink): WebSocketLink {
    this.dials.push(this.clock.now());
    this.#ids++;
    const id = this.#ids;
    const link = new SimulatedLink(this, id, sink);
    this.#links.set(id, link);
    this.after(() => {
      if (this.silent || link.ended) return;
      const error = systemError("ECONNREFUSED", "connect");
      if (!this.#registrar) return link.end({ status: 1006, reason: "", error });
      this.#registrar.handleConnect(id, "192.0.2.1", this.clock.now());
      this.#drive?.wake();
      link.opened();
    });
    return link;
  }
}

class SimulatedLink implements WebSocketLink {
  readonly buffered = 0;
  ended = false;
  readonly #host: RegistrarHost;
  readonly #id: number;
  readonly #sink: WebSocketSink;

  constructor(host: RegistrarHost, id: number, sink: WebSocketSink) {
    this.#host = host;
    this.#id = id;
    this.#sink = sink;
  }

  opened(): void {
    this.#sink.onOpen?.();
  }

  deliver(frame: string): void {
    this.#host.after(() => {
      if (!this.ended && !this.#host.silent) this.#sink.onMessage(frame);
    });
  }

  end(close: WebSocketClose): void {
    if (this.ended) return;
    this.#host.after(() => this.#end(close));
  }

  send(frame: string | Uint8Array): void {
    this.#host.after(() => {
      if (!this.ended && !this.#host.silent) this.#host.frameFrom(this.#id, frame as string);
    });
  }

  close(status: number, reason: string): void {
    this.end({ status, reason });
  }

  terminate(): void {
    this.end({ status: 1006, reason: "" });
  }

  ref(): void {}

  unref(): void {}

  #end(close: WebSocketClose): void {
    if (this.ended) return;
    this.ended = true;
    this.#host.gone(this.#id);
    this.#sink.onClose(close);
  }
}
