import type { Instant, Millis } from "../../contract/clock.ts";
import type { SocketAddress } from "../../contract/datagram-socket.ts";
import type { Random } from "../../contract/runtime.ts";
import { isHard } from "../behaviour.ts";
import type { Target } from "../target.ts";
import type { PunchTrick, TrickContext, TrickRun } from "../trick.ts";

/** Sockets of the hard side: with as many random ports of it, 174 probes meet one in half of all cases. */
const SOCKETS = 256;
/** Probes that leave together, and how often (chosen: 1,000 a second, as few wake-ups as do no harm). */
const BURST = 10;
const PAUSE: Millis = 10;
/** Ports NATs give out. */
const FIRST_PORT = 1024;
const PORTS = 65_536 - FIRST_PORT;

/**
 * The birthday paradox, for a NAT that gives every remote endpoint a random port, in front of one side, and one that wants to know that very
 * port, in front of the other. The hard side opens 256 sockets towards the easy side's one endpoint and says so; the easy
 * side then probes random ports until it meets one of them.
 */
export const birthday: PunchTrick = {
  name: "birthday",
  patience: 0,
  rate: (local, remote) => {
    const easy = isHard(local) ? remote : local;
    if (isHard(easy) || !(isHard(local) || isHard(remote))) return 0;
    // Where the filter is known to want the port, nothing simpler helps.
    return easy.filtering === "address-and-port-dependent" ? 0.92 : 0.5;
  },
  start: (context) => (isHard(context.local) ? openSockets(context) : probePorts(context)),
};

/** The peer's endpoint that all meet at: an attested one, if there is one. */
function publicTarget({ targets, isAttested }: TrickContext): Target | undefined {
  const outside = targets.filter((target) => target.outside);
  return outside.findLast(({ remote }) => isAttested(remote.address)) ?? outside.at(-1);
}

/** The hard side. */
function openSockets(context: TrickContext): TrickRun {
  let target: Target | undefined;
  let opened = false;
  return {
    onNews(now) {
      if (!target) {
        target = publicTarget(context);
        if (target && mayProbe(context, target.remote)) context.wantSockets(SOCKETS);
      }
      if (opened || !target || context.extraSockets.length === 0) return;
      opened = true;
      for (const { via } of context.extraSockets) context.probe(target.remote, via, now, true);
      context.sayReady();
    },
  };
}

/** The easy side. */
function probePorts(context: TrickContext): TrickRun {
  let ports: Iterator<number> | undefined;
  let nextAt: Instant | undefined;
  let target: Target | undefined;

  function burst(now: Instant): void {
    for (let i = 0; i < BURST && ports && target; i++) {
      const { value: port, done } = ports.next();
      if (done || !context.probe({ address: target.remote.address, port }, target.via, now))
        ports = undefined;
    }
    nextAt = ports ? now + PAUSE : undefined;
    if (!ports) context.endRun();
  }
  return {
    onNews(now) {
      if (target || !context.peerReady) return;
      target = publicTarget(context);
      if (!target || !mayProbe(context, target.remote)) return;
      ports = randomPorts(context.random);
      burst(now);
    },
    handleTimeout: burst,
    pollTimeout: () => nextAt,
  };
}

function mayProbe(context: TrickContext, { address }: SocketAddress): boolean {
  if (context.beginRun(address)) return true;
  context.note(`${address} is not attested to be the peer's, or there is a run already`);
  return false;
}

/** Every port once, in random order. */
function* randomPorts(random: Random): Generator<number> {
  const order = new Map<number, number>();
  for (let left = PORTS; left > 0; left--) {
    const [a, b, c, d] = random.fill(new Uint8Array(4));
    const at = (((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0) % left;
    yield FIRST_PORT + (order.get(at) ?? at);
    order.set(at, order.get(left - 1) ?? left - 1);
  }
}
