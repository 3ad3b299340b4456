import { after, before } from "node:test";
import { WebSocketSignaling } from "1tp";
import { createRegistrar, type RegistrarServer } from "1tp/registrar";
import type { PageOptions } from "../page/peer.ts";

/** Nobody outside this machine is asked where it sees us. */
export const config = { iceServers: [] };

/** A registrar for the tests of a file, and Node's signaling at it. */
export class Meeting {
  #registrar: RegistrarServer | undefined;
  #signaling: WebSocketSignaling | undefined;

  /** Begins and ends with the tests of this file. */
  static forThisFile(): Meeting {
    const meeting = new Meeting();
    before(async () => {
      meeting.#registrar = await createRegistrar({ host: "127.0.0.1" });
      meeting.#signaling = new WebSocketSignaling({ url: meeting.#registrar.url });
    });
    after(async () => {
      await meeting.#signaling?.close();
      await meeting.#registrar?.close();
    });
    return meeting;
  }

  get signaling(): WebSocketSignaling {
    return this.#signaling!;
  }

  /** For pages that meet here. */
  get pageOptions(): PageOptions {
    return { registrar: this.#registrar!.url, config };
  }
}
