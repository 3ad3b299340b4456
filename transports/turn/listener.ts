import { OnetpError } from "../../src/base/errors.ts";
import { canonicalIp, ipFamily } from "../../src/base/ip.ts";
import { Slots } from "../../src/base/slots.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Dialog, Registration } from "../../src/contract/dialog.ts";
import type { ConnectionInfo, Json } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { turnAddresses } from "../../src/host/turn-allocate.ts";
import { UNSUPPORTED_FAMILY } from "../../src/turn/attributes.ts";
import type { TurnParts } from "./parts.ts";
import { type Peers, Relays } from "./relays.ts";
import { isUsable, type Question, type RelayQuestion, readQuestion } from "./signals.ts";

/** Dialogs at once, in all and with one address (chosen: each lasts for a second or two). */
const MAX_DIALOGS = 256;
const MAX_DIALOGS_PER_ADDRESS = 64;
/** What a dial may take altogether, twice (chosen). */
const DIALOG_TIMEOUT: Millis = 30_000;
/** A dialler asks for the server and then for relays: over UDP and TCP, of either family, and relay to relay. What follows is ignored. */
const MAX_QUESTIONS = 6;

/** Allocates and registers, or rejects with the TURN server's status or the signaling's code and holds nothing. */
export async function listenTurn(parts: TurnParts, context: ListenContext): Promise<Listener> {
  const { onDialog, runtime } = context;
  if (!onDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no dialogs here" });
  const relays = new Relays(parts, runtime, (channel) => context.onChannel(channel));
  try {
    await relays.of(4).catch((error: unknown) => {
      // The server has IPv6 alone.
      if (statusOf(error) !== UNSUPPORTED_FAMILY) throw error;
      return relays.of(6);
    });
    const answering = new AnsweredDialogs(parts, relays, runtime);
    const registration = await onDialog(parts.signaling, parts.type, (dialog) => answering.answer(dialog));
    return new TurnListener(parts.type, relays, answering, registration);
  } catch (error) {
    await relays.close();
    throw error;
  }
}

class TurnListener implements Listener {
  readonly endpoints: ConnectionInfo;
  readonly #relays: Relays;
  readonly #dialogs: AnsweredDialogs;
  readonly #registration: Registration;
  #closing: Promise<void> | undefined;

  constructor(type: string, relays: Relays, dialogs: AnsweredDialogs, registration: Registration) {
    this.endpoints = [{ transportType: type, transportInfo: registration.address }];
    this.#relays = relays;
    this.#dialogs = dialogs;
    this.#registration = registration;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    this.#registration.close();
    this.#dialogs.close();
    return this.#relays.close();
  }

  ref(): void {
    if (this.#closing) return;
    this.#registration.ref();
    this.#relays.keep(true);
  }

  unref(): void {
    this.#registration.unref();
    if (!this.#closing) this.#relays.keep(false);
  }
}

/** The dialogs under way, each answered until the dialler closes it or its time is up. */
class AnsweredDialogs {
  readonly #parts: TurnParts;
  readonly #relays: Relays;
  readonly #runtime: Runtime;
  readonly #slots = new Slots(MAX_DIALOGS, MAX_DIALOGS_PER_ADDRESS);
  readonly #dialogs = new Set<Dialog>();
  #closed = false;

  constructor(parts: TurnParts, relays: Relays, runtime: Runtime) {
    this.#parts = parts;
    this.#relays = relays;
    this.#runtime = runtime;
  }

  answer(dialog: Dialog): void {
    const leave = this.#closed ? undefined : this.#slots.take(dialog.observedAddress);
    if (!leave) {
      dialog.close();
      return;
    }
    const { clock } = this.#runtime;
    const timer = clock.setTimer(clock.now() + DIALOG_TIMEOUT, () => dialog.close());
    timer.unref();
    this.#dialogs.add(dialog);
    let questions = 0;
    dialog.attach({
      onSignal: (body) => {
        const question = ++questions > MAX_QUESTIONS ? undefined : readQuestion(body);
        if (question) this.#reply(dialog, question);
      },
      onClose: () => {
        timer.cancel();
        leave();
        this.#dialogs.delete(dialog);
      },
    });
  }

  async #reply(dialog: Dialog, question: Question): Promise<void> {
    const answer = question.ask === "server" ? this.#server() : this.#relay(question, dialog);
    try {
      await dialog.send(await answer);
    } catch {
      // Whoever has gone does not want to know.
    }
  }

  async #server(): Promise<Json> {
    const { host, port } = this.#parts.way;
    const addresses = await turnAddresses(host, this.#runtime).catch(() => []);
    return { addresses, port };
  }

  /**
   * A relayed address, once the answers about all of the dialler's addresses are there. The first one is where a server has seen the
   * dialler and must be let in; servers often forbid private ones, which then do not matter.
   */
  async #relay({ from, over }: RelayQuestion, { observedAddress }: Dialog): Promise<Json> {
    const observed = observedAddress === undefined ? undefined : canonicalIp(observedAddress);
    const all = [...new Set([...from, ...(observed && isUsable(observed) ? [observed] : [])])];
    if (all.length === 0) return { refused: 0 };
    // Where the signaling sees the dialler helps only if it is of the family that the dialler comes with.
    const family = ipFamily(all[0]!) === 6 ? 6 : 4;
    const addresses = all.filter((address) => ipFamily(address) === family);
    const first = await this.#permit(family, over, addresses);
    if (first.relayed || !first.lost) return answerOf(first);
    // The server has forgotten the allocation, so that there is a new one now.
    return answerOf(await this.#permit(family, over, addresses));
  }

  async #permit(family: 4 | 6, peers: Peers, addresses: readonly string[]): Promise<Permitted> {
    try {
      const relay = await this.#relays.of(family, peers);
      const results = await Promise.allSettled(addresses.map((address) => relay.permit(address)));
      const [first] = results;
      if (first?.status === "fulfilled") return { relayed: { ...relay.local } };
      return { refused: statusOf(first?.reason), lost: relay.lost };
    } catch (error) {
      return { refused: statusOf(error), lost: false };
    }
  }

  close(): void {
    this.#closed = true;
    for (const dialog of this.#dialogs) dialog.close();
  }
}

type Permitted =
  | { readonly relayed: { readonly address: string; readonly port: number } }
  | { readonly relayed?: undefined; readonly refused: number; readonly lost: boolean };

function answerOf(permitted: Permitted): Json {
  return permitted.relayed ? { relayed: permitted.relayed } : { refused: permitted.refused };
}

function statusOf(error: unknown): number {
  return (error instanceof OnetpError && error.status) || 0;
}
