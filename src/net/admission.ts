import { crypto, diagnosticsChannel, nextTick, nextTurn } from "#platform";
import { type Drive, drive } from "../base/drive.ts";
import type { Channel } from "../contract/channel.ts";
import type { Runtime } from "../contract/runtime.ts";
import { HalfOpen } from "../session/half-open.ts";
import type { Identity } from "../session/identity.ts";
import { Responder } from "../session/responder.ts";
import { Session } from "../session/session.ts";
import type { Authorize } from "./security.ts";

/** What a server's sessions need. */
export interface AdmissionOptions {
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly authorize: Authorize | undefined;
}

const dropChannel = diagnosticsChannel("1tp:drop");

/**
 * The handshakes a server has under way. A channel becomes visible when its dialler has proved its key, is
 * admitted and has confirmed; what stalls, lies or loses its race never does.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #halfOpen = new HalfOpen<Session>();
  readonly #drive: Drive;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#drive = drive(
      this.#halfOpen,
      options.runtime.clock,
      () => undefined,
      (session) => session.abort(),
    );
    this.#drive.unref();
  }

  /** Takes a channel through the handshake. */
  admit(channel: Channel, onSession: (session: Session) => void): void {
    const { runtime, identity, authorize } = this.#options;
    const session = new Session(channel, new Responder({ crypto, random: runtime.random, identity }), {
      clock: runtime.clock,
      defer: nextTurn,
      authorize: authorize && ((publicKey, answer) => ask(authorize, publicKey, answer)),
      onSettled: (error) => {
        this.#halfOpen.delete(session);
        this.#drive.wake();
        if (!error) onSession(session);
        else if (dropChannel.hasSubscribers) dropChannel.publish({ error, remote: channel.remote });
      },
    });
    this.#halfOpen.add(session, runtime.clock.now());
    this.#drive.wake();
  }

  /** Gives up every handshake under way. */
  close(): void {
    this.#drive.stop();
    for (const session of this.#halfOpen.takeAll()) session.abort();
  }
}

/** Puts the question to the user's function. Whatever is not `true` refuses. What the user's function throws is the user's to see. */
export function ask(authorize: Authorize, publicKey: string, answer: (admitted: boolean) => void): void {
  const fail = (error: unknown): void => {
    answer(false);
    nextTick(() => {
      throw error;
    });
  };
  try {
    const verdict = authorize(publicKey);
    if (typeof verdict === "boolean") answer(verdict);
    else Promise.resolve(verdict).then((admitted) => answer(admitted === true), fail);
  } catch (error) {
    fail(error);
  }
}
