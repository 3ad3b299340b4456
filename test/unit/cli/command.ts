import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const FLAGS = ["--conditions=1tp-source", "--import", "tsx"];
const MAIN = new URL("../../../src/cli/main.ts", import.meta.url);

/** A process of a test, with what it has printed so far. */
export class Program {
  readonly process: ChildProcess;
  output = "";
  /** Resolves with the exit code, null after a signal. */
  readonly exit: Promise<number | null>;
  #wake: () => void = () => {};
  #exited = false;

  private constructor(script: string, args: readonly string[]) {
    this.process = spawn(process.execPath, [...FLAGS, script, ...args], { stdio: "pipe" });
    for (const stream of [this.process.stdout!, this.process.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.exit = once(this.process, "close").then(([code]) => {
      this.#exited = true;
      this.#wake();
      return code;
    });
  }

  /** Starts `1tp` with these arguments. */
  static command(...args: readonly string[]): Program {
    return new Program(fileURLToPath(MAIN), args);
  }

  /** Starts a script of this folder. */
  static script(name: string, ...args: readonly string[]): Program {
    return new Program(fileURLToPath(new URL(name, import.meta.url)), args);
  }

  /** Resolves with the first match of what it prints; rejects if it ends without. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.#exited) throw new Error(`it never printed ${pattern}, but:\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}
