import type { Channel } from "../../../src/contract/channel.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import { MemoryChannel } from "../../../transports/memory/channel.ts";

/** Bytes that wait between a dialler and the hands (chosen: more than any test here writes at once). */
const ROOM = 1 << 20;

/**
 * The same transport, dialling through somebody who carries the bytes of its channels: `take` gets an end that leads to
 * the dialler, and the channel that leads to the server.
 */
export function inHands(transport: Transport, take: (near: Channel, far: Channel) => void): Transport {
  const { type, traits, connectTimeout } = transport;
  return {
    ...{ type, traits, connectTimeout },
    accepts: (endpoint) => transport.accepts(endpoint),
    async dial(endpoint, { firstFlight: _, ...context }) {
      const far = await transport.dial(endpoint, context);
      const [dialler, near] = MemoryChannel.pair(far.local ?? endpoint, endpoint, ROOM);
      take(near, far);
      return dialler;
    },
  };
}
