import { transports } from "1tp";
import { nodeNet } from "./node-net.ts";
import { onetp } from "./onetp.ts";
import { programs } from "./programs.ts";

const [, , harnessName = "", program = ""] = process.argv;
const harness = [
  nodeNet,
  onetp("tcp", new transports.tcp(), "noise"),
  onetp("memory", new transports.memory(), "noise"),
].find(({ name }) => name === harnessName);
const run = programs[program];
if (!harness || !run) throw new Error(`no such harness or program: ${harnessName}, ${program}`);
run(harness, (line) => process.stdout.write(`${line}\n`));
