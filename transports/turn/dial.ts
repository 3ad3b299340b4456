import { CODES, OnetpError, toError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { dialFrom } from "../../src/host/dial.ts";
import { allocatedWay } from "./allocated-way.ts";
import { type TurnParts, turnChannel } from "./parts.ts";
import { Questions } from "./questions.ts";
import { readRelayAnswer, readServerAnswer } from "./signals.ts";
import { tcpWay } from "./tcp-way.ts";
import { udpWay } from "./udp-way.ts";
import type { Origin, Way } from "./way.ts";

/** Asks the listener for a relayed address and connects to it. */
export async function dialTurn(parts: TurnParts, endpoint: Endpoint, context: DialContext): Promise<Channel> {
  const { openDialog, signal } = context;
  if (!openDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no dialogs here" });
  signal.throwIfAborted();
  const address = endpoint.transportInfo as SignalingAddress;
  const dialog = await openDialog(parts.signaling, address, endpoint.transportType);
  const questions = new Questions(dialog, signal);
  try {
    context.onPhase("gather");
    const found = await findRelay(parts, questions, context);
    return await connect(found, parts, endpoint, context);
  } finally {
    questions.close();
  }
}

interface Found extends Origin {
  readonly relayed: SocketAddress;
}

/**
 * By plain UDP, IPv4 before IPv6, as every relay has that; or else by TCP, if the listener's server lets peers connect; or else through an
 * allocation of our own.
 */
async function findRelay(parts: TurnParts, questions: Questions, context: DialContext): Promise<Found> {
  const { addresses, port } = readServerAnswer(await questions.ask({ ask: "server" }));
  const ways: Record<string, () => Promise<Way>> = {};
  for (const address of addresses) ways[`UDP to ${address}`] = () => udpWay({ address, port }, context);
  for (const address of addresses) ways[`TCP to ${address}`] = () => tcpWay({ address, port }, context);
  ways["an allocation of our own"] = () => allocatedWay(parts, context);
  const errors: Record<string, Error> = {};
  for (const [name, open] of Object.entries(ways)) {
    const found = await tryWay(open(), questions);
    if (!(found instanceof Error)) return found;
    errors[name] = found;
  }
  throw combined(errors);
}

/** What was found, or why nothing; then nothing is held. Rejects when the dialog, and so the dial, is over. */
async function tryWay(opening: Promise<Way>, questions: Questions): Promise<Found | Error> {
  let way: Way | undefined;
  try {
    way = await opening;
    const relayed = await askFor(way, questions);
    return { relayed, ...(await way.reach(relayed)) };
  } catch (error) {
    way?.leave();
    questions.throwIfOver();
    return toError(error);
  }
}

async function askFor({ addresses, over }: Way, questions: Questions): Promise<SocketAddress> {
  const answer = readRelayAnswer(await questions.ask({ ask: "relay", from: addresses, over }));
  if (answer.relayed) return answer.relayed;
  const status = answer.refused || undefined;
  const detail = status ? `the listener's server said ${status}` : "the listener has no relay for us";
  throw new OnetpError("ERR_1TP_TURN_REFUSED", { detail, status, phase: "gather" });
}

/** The one error of all ways, with the status of the first server that gave one. */
function combined(errors: Readonly<Record<string, Error>>): OnetpError {
  const each = Object.entries(errors).map(([way, { message }]) => `by ${way}: ${withoutText(message)}`);
  const statuses = Object.values(errors).map((error) => (error as { status?: number }).status);
  return new OnetpError("ERR_1TP_TURN_REFUSED", {
    detail: each.join("; "),
    status: statuses.find((status) => status !== undefined),
    phase: "gather",
    cause: new AggregateError(Object.values(errors), each.join("; ")),
  });
}

function withoutText(message: string): string {
  return message.replace(`${CODES.ERR_1TP_TURN_REFUSED.text}: `, "");
}

async function connect(
  { shared, local, relayed }: Found,
  parts: TurnParts,
  endpoint: Endpoint,
  context: DialContext,
): Promise<Channel> {
  try {
    context.signal.throwIfAborted();
    context.onPhase("connect");
    const data = context.firstFlight?.();
    const options = { ...parts.connection, ...(data ? { data, pad: true } : {}) };
    const { transportType: type } = endpoint;
    const firstFlightSent = data !== undefined;
    return await dialFrom(shared, relayed, options, context.signal, (connection) =>
      turnChannel({ type, shared, connection, local, remote: endpoint, firstFlightSent }),
    );
  } finally {
    shared.leave();
  }
}
