import { seededRandom } from "../../../src/base/random.ts";
import type { Instant } from "../../../src/contract/clock.ts";
import type { Datagram, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { type AttributeDraft, makeMessage } from "../../../src/stun/attribute.ts";
import { StunClient, type StunClientEvent, type StunClientOptions } from "../../../src/stun/client.ts";
import { type IntegrityKey, sealMessage } from "../../../src/stun/integrity.ts";
import { decodeMessage, type MessageClass, type ReceivedMessage } from "../../../src/stun/message.ts";

export const crypto = nodeCrypto;
export const SERVER: SocketAddress = { address: "5.0.0.1", port: 3478 };

/** A message that must be one. */
export function decoded(bytes: Uint8Array): ReceivedMessage {
  const message = decodeMessage(bytes);
  if (typeof message === "string") throw new Error(`no message: ${message}`);
  return message;
}

/** A response to a request, sealed as asked for. */
export function response(
  request: ReceivedMessage,
  kind: MessageClass,
  drafts: readonly AttributeDraft[],
  integrity?: IntegrityKey,
): Uint8Array {
  return sealMessage(makeMessage(kind, request.method, request.transactionId, drafts), integrity, false);
}

/** A client on its own, with time in the test's hand. */
export class Exchange {
  now: Instant = 1000;
  readonly client: StunClient;
  readonly sent: { readonly at: Instant; readonly datagram: Datagram }[] = [];
  readonly events: StunClientEvent[] = [];

  constructor(options: Partial<StunClientOptions> = {}) {
    this.client = new StunClient({ random: seededRandom(1), ...options });
  }

  /** The request that was sent last. */
  get last(): ReceivedMessage {
    return decoded(this.sent.at(-1)!.datagram.data);
  }

  drain(): void {
    const { client, now } = this;
    for (let out = client.pollTransmit(now); out; out = client.pollTransmit(now)) {
      this.sent.push({ at: now, datagram: out });
    }
    for (let event = client.pollEvent(); event; event = client.pollEvent()) this.events.push(event);
  }

  receive(data: Uint8Array, remote = SERVER): void {
    this.client.handleDatagram({ data, remote }, this.now);
    this.drain();
  }

  /** Jumps from timeout to timeout until nothing is left to wait for, or until `end`. */
  run(end = Number.POSITIVE_INFINITY): void {
    this.drain();
    for (let at = this.client.pollTimeout(); at !== undefined && at <= end; at = this.client.pollTimeout()) {
      this.now = at;
      this.client.handleTimeout(at);
      this.drain();
    }
  }
}
