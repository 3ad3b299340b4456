import { crypto, nextTick } from "#platform";
import { fromBase64Url } from "../../src/base/bytes.ts";
import { type Drive, drive } from "../../src/base/drive.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Introducer, IntroducerOptions } from "../../src/contract/introducer.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { performTask } from "../registrar/clerk.ts";
import { limitsWith, type RegistrarLimits } from "../registrar/limits.ts";
import type { DirectoryTask, Outgoing } from "../registrar/mailroom.ts";
import { MemoryDirectory } from "../registrar/memory-directory.ts";
import { Registrar } from "../registrar/registrar.ts";
import { Guest } from "./guest.ts";
import { INTRODUCER_LANE } from "./wire.ts";

/** Chosen: half of a registrar's, or less, where it costs something, since introducing is what a server does besides. */
const LIMITS: RegistrarLimits = limitsWith({
  connections: 10_000,
  dialogs: 512,
  signalRate: 256,
  relays: 512,
  relaysPerAddress: 128,
  relaysPerConnection: 32,
  relayRate: 6_250_000,
  relayRatePerConnection: 12_500_000,
  relayFrameRate: 32_768,
});

/** STUN addresses that clients are told of (chosen: as many as they read). */
const MAX_STUN = 16;

/**
 * A registrar for the clients of a server, over the lanes of their connections. Their keys are proved already, so that uids
 * are theirs without another proof. Whatever a guest does costs it its visit at most, never the connection.
 */
export class SocketIntroducer implements Introducer {
  readonly #registrar: Registrar;
  readonly #runtime: Runtime;
  readonly #drive: Drive;
  readonly #directory = new MemoryDirectory();
  readonly #guests = new Map<number, Guest>();
  /** Visits that something is relayed to. */
  readonly #relayed = new Set<number>();
  #visits = 0;

  constructor({ runtime, stun, relay }: IntroducerOptions) {
    this.#runtime = runtime;
    this.#registrar = new Registrar({
      crypto,
      random: runtime.random,
      limits: LIMITS,
      // There is no URL: whoever is here is enrolled.
      ownsOrigin: () => false,
      services: () => ({
        stun: stun()
          .slice(0, MAX_STUN)
          .map(({ address, port }) => ({ host: address, port })),
        turn: [],
      }),
      onRelayed: relay ? (visit) => this.#relaySoon(visit) : undefined,
    });
    this.#drive = drive(
      this.#registrar,
      runtime.clock,
      (out) => this.#send(out),
      (task) => void this.#perform(task),
    );
    this.#drive.unref();
  }

  admit(client: Channel, address: string | undefined): void {
    const { remotePublicKey } = client;
    const key = remotePublicKey === undefined ? undefined : fromBase64Url(remotePublicKey);
    const lane = client.lane?.(INTRODUCER_LANE);
    if (!lane || !key) return;
    // Who is seen nowhere is known by its key.
    const place = address ?? remotePublicKey!;
    let visit = 0;
    const { clock } = this.#runtime;
    const guest = new Guest(lane, LIMITS.bufferedBytes, () => clock.now(), {
      onBegin: () => {
        this.#visits++;
        visit = this.#visits;
        this.#guests.set(visit, guest);
        this.#registrar.handleConnect(visit, place, clock.now(), key);
        this.#drive.wake();
      },
      onFrame: (frame) => this.#receive(visit, frame),
      onRelayed: (frame) => {
        this.#registrar.handleRelayed(visit, frame, clock.now());
        this.#drive.wake();
      },
      takeRelayed: () => this.#registrar.relay?.take(visit),
      onEnd: () => {
        this.#guests.delete(visit);
        this.#registrar.handleDisconnect(visit, clock.now());
        this.#drive.wake();
      },
      onFlood: (dialog) => {
        this.#registrar.handleUnread(visit, dialog);
        this.#drive.wake();
      },
    });
  }

  #receive(visit: number, frame: string | undefined): void {
    this.#registrar.handleFrame(visit, frame, this.#runtime.clock.now());
    this.#drive.wake();
  }

  #send(out: Outgoing): void {
    const guest = this.#guests.get(out.connection);
    if ("cut" in out) guest?.end(out.cut.status, out.cut.reason);
    else guest?.send(out.frame, out.dialog);
  }

  /** Once for all that has come by now. */
  #relaySoon(visit: number): void {
    if (this.#relayed.size === 0) nextTick(() => this.#relay());
    this.#relayed.add(visit);
  }

  #relay(): void {
    const visits = [...this.#relayed];
    this.#relayed.clear();
    for (const visit of visits) this.#guests.get(visit)?.relay();
  }

  async #perform(task: DirectoryTask): Promise<void> {
    const answer = await performTask(this.#directory, task);
    this.#registrar.handleAnswer(task, answer);
    this.#drive.wake();
  }
}
