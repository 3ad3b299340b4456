import { LaneReader } from "../../../../signaling/introducer/wire.ts";
import type { LaneSink, MessageLane } from "../../../../src/contract/message-lane.ts";

/** A lane whose other end reads when a test says so. */
export class ScriptedLane implements MessageLane {
  /** Messages it takes. */
  room = Number.POSITIVE_INFINITY;
  /** What has gone out: frames, `relayed 1,2`, and `end 1008`. */
  readonly said: string[] = [];
  sink: LaneSink | undefined;
  readonly #reader = new LaneReader(40_000);

  attach(sink: LaneSink): void {
    this.sink = sink;
  }

  send(body: Uint8Array): boolean {
    if (this.room <= 0) return false;
    this.room--;
    const message = this.#reader.read(body);
    if (message?.type === "frame") this.said.push(`${message.frame}`);
    if (message?.type === "relayed") this.said.push(`relayed ${message.frame}`);
    if (message?.type === "end") this.said.push(`end ${message.status}`);
    return true;
  }

  /** The other end reads again. */
  drain(): void {
    this.room = Number.POSITIVE_INFINITY;
    this.sink?.onDrain();
  }
}
