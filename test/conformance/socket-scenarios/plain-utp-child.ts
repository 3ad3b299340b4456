import { plainUtp } from "./plain-utp.ts";
import { programs } from "./programs.ts";

const [, , program = ""] = process.argv;
programs[program]!(plainUtp, (line) => process.stdout.write(`${line}\n`));
