import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Random } from "../contract/runtime.ts";
import { makeMessage } from "../stun/attribute.ts";
import { BINDING } from "../stun/binding.ts";
import { sealMessage } from "../stun/integrity.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type ReceivedMessage,
  TRANSACTION_ID_SIZE,
  unknownRequired,
} from "../stun/message.ts";
import {
  CONNECTION_ATTEMPT,
  CONNECTION_ID,
  DATA,
  DATA_METHOD,
  ICMP,
  KNOWN_TURN_ATTRIBUTES,
  SEND_METHOD,
  XOR_PEER_ADDRESS,
} from "./attributes.ts";
import type { TurnEvent } from "./options.ts";

/** The frame that carries a datagram without a channel (RFC 8656 §11.1). */
export function encodeSend(random: Random, data: Uint8Array, remote: SocketAddress): Uint8Array {
  return encodeMessage(indication(random, SEND_METHOD, [XOR_PEER_ADDRESS.of(remote), DATA.of(data)]));
}

/** What a client sends to keep a mapping open: a Binding indication, which nobody answers (RFC 8489 §3). */
export function encodeKeepAlive(random: Random): Uint8Array {
  return sealMessage(indication(random, BINDING, []), undefined, true);
}

function indication(random: Random, method: number, drafts: Parameters<typeof makeMessage>[3]): Message {
  return makeMessage("indication", method, random.fill(new Uint8Array(TRANSACTION_ID_SIZE)), drafts);
}

/** What is said about a peer. */
export type Indication = Extract<TurnEvent, { type: "data" | "unreachable" | "attempt" }>;

/** What a Data (RFC 8656 §11.4, §11.5) or ConnectionAttempt indication (RFC 6062 §4.4) says; undefined if it is neither. */
export function decodeIndication(bytes: Uint8Array): Indication | undefined {
  const message = decodeMessage(bytes);
  if (typeof message === "string" || unknownRequired(message, KNOWN_TURN_ATTRIBUTES).length > 0)
    return undefined;
  const remote = XOR_PEER_ADDRESS.in(message);
  if (!remote) return undefined;
  if (message.method === CONNECTION_ATTEMPT) {
    const connection = CONNECTION_ID.in(message);
    return connection === undefined ? undefined : { type: "attempt", connection, remote };
  }
  return message.method === DATA_METHOD ? dataIn(message, remote) : undefined;
}

function dataIn(message: ReceivedMessage, remote: SocketAddress): Indication | undefined {
  const data = DATA.in(message);
  if (data) return { type: "data", data, remote };
  const icmp = ICMP.in(message);
  const code = icmp && codeOf(remote.address.includes(":"), icmp.type, icmp.code);
  return code === undefined ? undefined : { type: "unreachable", code, remote };
}

/** Destination unreachable: RFC 792 and RFC 4443 §3.1. Other messages are nothing a sender can act on. */
function codeOf(v6: boolean, type: number, code: number): string | undefined {
  if (type !== (v6 ? 1 : 3)) return undefined;
  return code === (v6 ? 4 : 3) ? "ECONNREFUSED" : "EHOSTUNREACH";
}
