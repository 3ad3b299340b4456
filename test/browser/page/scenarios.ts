import { transports } from "1tp";
import { destroying } from "../../conformance/socket-scenarios/destroying.ts";
import { ending } from "../../conformance/socket-scenarios/ending.ts";
import { onetp } from "../../conformance/socket-scenarios/onetp.ts";
import { opening } from "../../conformance/socket-scenarios/opening.ts";
import { reading } from "../../conformance/socket-scenarios/reading.ts";
import { serving } from "../../conformance/socket-scenarios/serving.ts";
import { type Notes, play as playOn } from "../../conformance/socket-scenarios/stage.ts";
import { streaming } from "../../conformance/socket-scenarios/streaming.ts";
import { timing } from "../../conformance/socket-scenarios/timing.ts";
import { writing } from "../../conformance/socket-scenarios/writing.ts";

/** In the order in which they are played. */
export const scenarios = [
  ...opening,
  ...ending,
  ...destroying,
  ...writing,
  ...reading,
  ...streaming,
  ...timing,
  ...serving,
];

/** Plays a scenario over the memory transport. */
export function play(index: number, security: "noise" | "none"): Promise<Notes> {
  return playOn(scenarios[index]!, onetp("memory", new transports.memory(), security));
}
