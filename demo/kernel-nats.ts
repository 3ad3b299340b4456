import type { ChildProcess, SpawnOptions } from "node:child_process";
import { Lab } from "../test/natlab/kit/lab.ts";
import { startRegistrar } from "../test/natlab/kit/peer.ts";
import { installed, NEEDS, obstacleTo } from "../test/run/needs.ts";

/** Two homes behind NATs of the kernel, 40 ms from each other, with a registrar between them. */
export interface KernelNats {
  /** Starts a program at the server's or the client's home. */
  spawn(role: string, program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  close(): Promise<void>;
}

/** Builds them of network namespaces; undefined where that is not allowed, or programs are missing. */
export async function openKernelNats(): Promise<KernelNats | undefined> {
  const equipped = process.getuid?.() === 0 && ["ip", "nft", "conntrack", "python3"].every(installed);
  if (!equipped || obstacleTo(NEEDS.natlab ?? {})) return undefined;
  const lab = await Lab.open();
  const [url = ""] = await startRegistrar(lab);
  const homes = { server: lab.site("easy-port").host, client: lab.site("easy-port").host };
  return {
    spawn(role, program, args, options) {
      const env = { ...options.env, ONETP_REGISTRAR: url };
      return homes[role === "server" ? "server" : "client"].spawn(program, args, { ...options, env });
    },
    close: () => lab.close(),
  };
}
