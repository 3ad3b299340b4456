import { crypto } from "#platform";
import { OnetpError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Dialog, SignalingAddress } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { reachFrom } from "../../src/nat/reach.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import { PunchPorts } from "./punch-ports.ts";
import { PunchSession } from "./punch-session.ts";
import { SightingList } from "./sighting-list.ts";
import { WayRace } from "./way-race.ts";

/** Opens a dialog to the entry and punches a way to whoever is there. */
export async function dialPunch(
  parts: PunchParts,
  endpoint: Endpoint,
  context: DialContext,
): Promise<Channel> {
  const { runtime, signal, openDialog } = context;
  const address = endpoint.transportInfo as SignalingAddress;
  if (!parts.signaling.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: TYPE });
  if (!openDialog) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no signaling", transport: TYPE });
  signal.throwIfAborted();
  context.onPhase("signal");
  const ports = await PunchPorts.open(parts.bind, parts.bufferSize, runtime);
  ports.keep(true);
  try {
    signal.throwIfAborted();
    // Servers are asked while the dialog opens: what they say is ready when it is wanted.
    const sightings = new SightingList(ports.ipv4, parts.stun, runtime);
    void sightings.refresh();
    const dialog = await openDialog(parts.signaling, address, TYPE);
    return await punch(parts, endpoint, context, ports, dialog, sightings);
  } finally {
    ports.keep(false);
    void ports.retire();
  }
}

async function punch(
  parts: PunchParts,
  endpoint: Endpoint,
  context: DialContext,
  ports: PunchPorts,
  dialog: Dialog,
  sightings: SightingList,
): Promise<Channel> {
  const { runtime, signal } = context;
  if (signal.aborted) {
    dialog.close();
    throw signal.reason;
  }
  context.onPhase("punch");
  const race = new WayRace(parts, endpoint, context, (port, connection) => session.follow(port, connection));
  const reach = parts.reach ?? reachFrom(runtime.interfaces());
  const session: PunchSession = new PunchSession(
    dialog,
    ports,
    runtime,
    { opener: true, crypto, reach },
    {
      onWay: (way) => race.enter(way),
      onOver: (error) => race.noMore(error),
    },
  );
  const forget = sightings.feed(session);
  session.start();
  const onAbort = (): void => race.stop(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await race.won;
  } finally {
    signal.removeEventListener("abort", onAbort);
    forget();
    session.close();
  }
}
