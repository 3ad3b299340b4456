import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "../../run/test-file.ts";
import type { Call, News } from "./calls.ts";
import type { Machine } from "./machine.ts";

/** Chosen: longer than any dial is given. */
const PATIENCE = 30_000;

interface Waiting {
  readonly timer: NodeJS.Timeout;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A program of `programs/` that runs on a machine and is called from here. Emits what it announces. */
export class Program extends EventEmitter {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  constructor(machine: Machine, name: string) {
    super();
    this.#name = `${name} on ${machine.namespace}`;
    const path = fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url));
    this.#child = machine.spawn(process.execPath, [...NODE_FLAGS, path], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdin!.on("error", () => {}); // Its exit tells.
    this.#child.once("exit", (code, signal) => this.#failAll(`ended with ${signal ?? code}`));
    createInterface(this.#child.stdout!).on("line", (line) => this.#hear(JSON.parse(line) as News));
  }

  /** Rejects with what the program says, when it ends, and when it says nothing for half a minute. */
  call<T>(method: string, argument: unknown = null): Promise<T> {
    const call: Call = { id: this.#calls++, method, argument };
    return new Promise<T>((resolve, reject) => {
      const late = () => reject(new Error(`${this.#name} does not answer ${method}`));
      const timer = setTimeout(late, PATIENCE);
      this.#waiting.set(call.id, { timer, resolve: (result) => resolve(result as T), reject });
      this.#child.stdin!.write(`${JSON.stringify(call)}\n`);
    });
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin!.end();
    await ended;
  }

  #hear(news: News): void {
    if ("event" in news) {
      this.emit(news.event, news.detail);
      return;
    }
    const waiting = this.#waiting.get(news.id);
    this.#waiting.delete(news.id);
    clearTimeout(waiting?.timer);
    if ("error" in news) waiting?.reject(new Error(`${this.#name}: ${news.error}`));
    else waiting?.resolve(news.result);
  }

  #failAll(how: string): void {
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Error(`${this.#name} ${how}`));
    }
    this.#waiting.clear();
  }
}
