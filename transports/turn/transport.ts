import { crypto } from "#platform";
import { checkOptional } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { planning } from "../../src/base/planning.ts";
import { checkSignaling, isSignaledBy } from "../../src/base/signaled.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import { utpConnection } from "../../src/host/utp-options.ts";
import { dialTurn } from "./dial.ts";
import { listenTurn } from "./listener.ts";
import { readUser, readWay, type TurnTransportOptions } from "./options.ts";
import type { TurnParts } from "./parts.ts";

export type { TurnTransportOptions } from "./options.ts";

/** How listeners talk to their server, which diallers need not care about. */
const TYPES: ReadonlySet<string> = new Set(["turn-udp", "turn-tcp", "turn-tls"]);

/** uTP through an allocation on a TURN server (RFC 8656), which the listener holds. */
export class TurnTransport implements Transport {
  readonly type: `turn-${"udp" | "tcp" | "tls"}`;
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #parts: TurnParts;

  /** Throws if `turnServer`, `turnPort`, the credentials or `signaling` are missing or wrong. */
  constructor(options: TurnTransportOptions) {
    checkOptional("options", options, "object");
    const { cost, connectTimeout } = planning(options ?? {}, { cost: 70, connectTimeout: 15_000 });
    const way = readWay(options ?? {});
    const user = readUser(options, crypto);
    const { signaling } = options;
    checkSignaling(signaling);
    const connection = { ...utpConnection(options), connectTimeout, ownHost: false };
    this.type = `turn-${way.protocol}`;
    // Diallers with a server that is reached over a stream need no datagrams.
    this.traits = { cost, relayed: true, signaled: true, datagrams: way.protocol === "udp" };
    this.connectTimeout = connectTimeout;
    this.#parts = { type: this.type, way, user, signaling, connection };
  }

  accepts(endpoint: Endpoint): boolean {
    return TYPES.has(endpoint?.transportType) && isSignaledBy(this.#parts.signaling, endpoint);
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    if (!this.accepts(endpoint)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    return dialTurn(this.#parts, endpoint, context);
  }

  async listen(context: ListenContext): Promise<Listener> {
    return listenTurn(this.#parts, context);
  }
}
