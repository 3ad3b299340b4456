import type { ConnectionInfo } from "1tp";
import type { Outcome, SetUp } from "../programs/peer.ts";
import type { Lab } from "./lab.ts";
import type { Machine } from "./machine.ts";
import { Program } from "./program.ts";

/** Chosen: many times what any transport needs that works. */
const DIAL_TIMEOUT = 20_000;

/** Starts the registrar of a lab with its STUN server. Resolves with its URLs. */
export function startRegistrar(lab: Lab): Promise<readonly string[]> {
  return new Program(lab.services, "registrar").call("serve", lab.services.addresses);
}

/** A 1tp endpoint on a machine of the lab, with a server that echoes and one connection of its own. */
export class Peer {
  readonly #program: Program;

  private constructor(machine: Machine) {
    this.#program = new Program(machine, "peer");
  }

  /** Starts the program; a second or so. */
  static async start(machine: Machine, setUp: SetUp): Promise<Peer> {
    const peer = new Peer(machine);
    // All name one registrar; what the machine cannot reach comes last.
    const own = (url: string): number => (url.includes("[") === machine.address.includes(":") ? 0 : 1);
    const registrar = setUp.registrar.toSorted((a, b) => own(a) - own(b));
    await peer.#program.call("begin", { ...setUp, registrar });
    return peer;
  }

  /** Replaces its server by a new one. */
  listen(): Promise<ConnectionInfo> {
    return this.#program.call("listen");
  }

  /** Never rejects for a dial that fails. */
  dial(info: ConnectionInfo, timeout = DIAL_TIMEOUT): Promise<Outcome> {
    return this.#program.call("dial", { info, timeout });
  }

  /** Ms until so many bytes are back. */
  echo(bytes = 1): Promise<number> {
    return this.#program.call("echo", bytes);
  }

  hangUp(): Promise<void> {
    return this.#program.call("hangUp");
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
