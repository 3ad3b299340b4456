import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Machine } from "./machine.ts";
import { labName, removeLeftovers, removeNamespaces, runScript } from "./namespaces.ts";
import { Site } from "./site.ts";
import { SITES, type SiteKind } from "./sites.ts";
import { coreScript, planSite } from "./wiring.ts";

/** How far the sites of a lab are from each other. */
export interface LabOptions {
  /** Ms from any site to any other, one way. Default 20. */
  readonly latency?: number;
  /** Routers between any two sites, those of the sites not counted. Default 8. */
  readonly hops?: number;
}

/** The core itself forwards a packet into its delay and out of it. */
const OWN_HOPS = 2;

const CORE_PROGRAM = fileURLToPath(new URL("./core.py", import.meta.url));

/** An internet of network namespaces. Needs root. Whatever ends this process, the next lab takes away what is left. */
export class Lab {
  /** A public host with two addresses of each family, for servers. */
  readonly services: Machine;
  readonly #name: string;
  readonly #core: ChildProcess;
  readonly #removeAtExit = (): void => this.#remove();
  #sites = 0;

  private constructor(name: string, { latency = 20, hops = 8 }: LabOptions) {
    this.#name = name;
    process.once("exit", this.#removeAtExit);
    runScript(coreScript(`${name}-core`));
    const core = new Machine(`${name}-core`, []);
    const settings = ["internet", `${latency}`, `${hops - OWN_HOPS}`];
    this.#core = core.spawn("/usr/bin/python3", [CORE_PROGRAM, ...settings], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.services = this.#buildServices();
  }

  /** Builds the core and the public services. Throws what the system says if it cannot. */
  static async open(options: LabOptions = {}): Promise<Lab> {
    removeLeftovers();
    const lab = new Lab(labName(), options);
    await once(lab.#core.stdout!, "data");
    return lab;
  }

  /** Builds a site of that kind, in a tenth of a second. */
  site(kind: SiteKind): Site {
    const index = ++this.#sites;
    const { script, routers, hosts } = planSite(this.#name, index, SITES[kind]);
    runScript(script);
    return new Site(kind, routers, hosts);
  }

  /** Ends all programs and takes everything away. */
  async close(): Promise<void> {
    process.off("exit", this.#removeAtExit);
    const ended = once(this.#core, "exit");
    this.#remove();
    await ended;
  }

  #buildServices(): Machine {
    const { hosts } = this.site("public");
    const [{ namespace, addresses }] = hosts as [Machine];
    const second = addresses.map((address) => address.replace(/2$/, "3"));
    const lines = second.map(
      (address) => `ip address add ${address}/${address.includes(":") ? "64 nodad" : 24} dev wan`,
    );
    const services = new Machine(namespace, [...addresses, ...second]);
    services.run(lines);
    return services;
  }

  #remove(): void {
    removeNamespaces(this.#name);
  }
}
