import type { PunchTrick } from "../trick.ts";

/**
 * Low TTL first, for public IPv4 addresses. Each side opens its own NATs towards the other's addresses with a datagram that dies on the
 * way, *says so* over the dialog, and sends for real once the other has said the same. So no NAT ever sees a stranger's datagram before
 * its own host has sent: a Linux NAT box that accepts unsolicited packets would remember it and give its own host another port for
 * good (the conntrack trap). It takes no longer than sending at once, because whoever is told can send at once.
 */
export const lowTtl: PunchTrick = {
  name: "low-ttl",
  // Chosen: what it takes across a continent. What joins in then does not stop it.
  patience: 300,
  rate: () => 0.9,
  start: (context) => ({
    onNews(now) {
      for (const target of context.targets) {
        if (!target.outside) continue;
        if (context.peerOpened) context.pursue(target, now);
        else if (!target.opened) context.open(target.remote, target.via, now);
      }
    },
  }),
};
