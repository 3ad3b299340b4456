import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { ENVIRONMENT, runScript } from "./namespaces.ts";

/** One host or router: a network namespace. */
export class Machine {
  readonly namespace: string;
  /** Its own addresses, IPv4 before IPv6. */
  readonly addresses: readonly string[];

  constructor(namespace: string, addresses: readonly string[]) {
    this.namespace = namespace;
    this.addresses = addresses;
  }

  get address(): string {
    return this.addresses[0]!;
  }

  /** Runs lines of shell in the namespace to their end. Throws if one fails. */
  run(lines: readonly string[]): void {
    runScript(inside(this.namespace, lines));
  }

  /** Starts a program in the namespace; it has the process id of the child. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const env = { ...(options.env ?? process.env), PATH: ENVIRONMENT.PATH };
    return spawn("ip", ["netns", "exec", this.namespace, program, ...args], { ...options, env });
  }
}

/** Lines of shell that run other lines in a namespace. */
export function inside(namespace: string, lines: readonly string[]): string[] {
  return [`ip netns exec ${namespace} sh -e <<'INSIDE'`, ...lines, "INSIDE"];
}
