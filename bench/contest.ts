import type { Duplex } from "node:stream";

/** A way to serve and to connect: 1tp over some transport, or a peer. */
export interface Stack {
  /** As the table shows it. */
  readonly name: string;
  /** Serves in this process. Resolves with what `connect` needs, which is handed over as JSON. */
  listen(onConnection: (socket: Duplex) => void): Promise<unknown>;
  /** Resolves when the socket is connected. */
  connect(address: unknown): Promise<Duplex>;
}

/** The two processes of a run. */
export type Role = "client" | "server";

/** What a process holds, after its garbage is collected. */
export interface Holdings {
  readonly rss: number;
  readonly heap: number;
  /** Handles and requests that keep the event loop busy. */
  readonly handles: number;
}

/** What a workload measures with, in the client's process. */
export interface Bench {
  connect(): Promise<Duplex>;
  holdings(): Promise<Readonly<Record<Role, Holdings>>>;
  /** Seconds of processor time that both processes have used, the kernel's for them included. */
  cpu(): Promise<number>;
}

/** One thing to do with a stack, and the number that comes of it. */
export interface Workload {
  readonly name: string;
  readonly unit: string;
  /** How often a round measures; what is measured over and over is first measured once for nothing. */
  readonly bursts: number;
  /** The server's side of each connection. */
  serve(socket: Duplex): void;
  measure(bench: Bench): Promise<number>;
}

/** What a figure has to reach: a share of the peer's, a number of its own, or a distance from the peer's. */
export interface Target {
  readonly of: "ratio" | "ours" | "excess";
  readonly bound: "≥" | "≤";
  readonly value: number;
}

/** Ours ÷ peer's must be at least this. */
export function atLeast(value: number): Target {
  return { of: "ratio", bound: "≥", value };
}

/** Ours ÷ peer's must be at most this. */
export function atMost(value: number): Target {
  return { of: "ratio", bound: "≤", value };
}

/** Our own figure must be at least this, whatever the peer's is. */
export function oursAtLeast(value: number): Target {
  return { of: "ours", bound: "≥", value };
}

/** Our own figure must be at most this, whatever the peer's is. */
export function oursAtMost(value: number): Target {
  return { of: "ours", bound: "≤", value };
}

/** Ours - peer's must be at most this. */
export function aboveAtMost(value: number): Target {
  return { of: "excess", bound: "≤", value };
}

/** One line of the table. A file in `rows/` exports `rows`, a list of these. */
export interface Row {
  readonly figure: string;
  readonly workload: Workload;
  readonly ours: Stack;
  /** May be left out where the target is a number of our own. */
  readonly peer?: Stack;
  readonly target: Target;
}

/** What `rows/*.ts` exports. */
export interface RowsModule {
  readonly rows: readonly Row[];
}

/** Our figure with the peer's, if there is one, from right after it. */
export interface Sample {
  readonly ours: number;
  readonly peer?: number;
}

/** A row with its figures: medians over the samples, ratio and excess as the medians of theirs. */
export interface Result {
  readonly figure: string;
  readonly unit: string;
  readonly names: { readonly ours: string; readonly peer?: string };
  readonly ours: number;
  /** NaN without a peer. */
  readonly peer: number;
  readonly ratio: number;
  readonly excess: number;
  readonly target: Target;
  readonly ok: boolean;
  readonly samples: readonly Sample[];
}

/** Judges a row by its samples. */
export function resultOf({ figure, workload, ours, peer, target }: Row, samples: readonly Sample[]): Result {
  const figures = {
    ours: median(samples.map((sample) => sample.ours)),
    peer: median(samples.map(({ peer = Number.NaN }) => peer)),
    ratio: median(samples.map(({ ours, peer = Number.NaN }) => ours / peer)),
    excess: median(samples.map(({ ours, peer = Number.NaN }) => ours - peer)),
  };
  const reached = figures[target.of];
  const ok = target.bound === "≥" ? reached >= target.value : reached <= target.value;
  const names = { ours: ours.name, ...(peer && { peer: peer.name }) };
  return { figure, unit: workload.unit, names, ...figures, target, ok, samples };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
