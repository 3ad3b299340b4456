import type { ConnectionInfo } from "1tp";
import type { Outcome, Surroundings, Word } from "../programs/peer.ts";
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
  static async start(machine: Machine, surroundings: Surroundings): Promise<Peer> {
    const peer = new Peer(machine);
    await peer.#program.call("begin", surroundings);
    return peer;
  }

  /** Replaces its server by a new one. */
  listen(words: readonly Word[]): Promise<ConnectionInfo> {
    return this.#program.call("listen", words);
  }

  /** Never rejects for a dial that fails. */
  dial(info: ConnectionInfo, words: readonly Word[], timeout = DIAL_TIMEOUT): Promise<Outcome> {
    return this.#program.call("dial", { info, words, timeout });
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
