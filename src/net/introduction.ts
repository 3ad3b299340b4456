import { endpointFamily } from "../base/endpoint.ts";
import { OnetpError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { Introducer, IntroducerOptions } from "../contract/introducer.ts";
import type { Transport } from "../contract/transport.ts";

/** Makes what introduces the clients of one server. */
export type IntroducerFactory = (options: IntroducerOptions) => Introducer;

let factory: IntroducerFactory | undefined;

/** Says what a server with `introduce: true` introduces by. The entry of a runtime that can calls it once. */
export function setIntroducer(make: IntroducerFactory): void {
  factory = make;
}

/** What introduces the clients of one server. @throws OnetpError `ERR_1TP_UNSUPPORTED` */
export function createIntroducer(options: IntroducerOptions): Introducer {
  if (factory) return factory(options);
  throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "introduce: a server here cannot" });
}

/** The IP address at which a client is seen; undefined where it is that of a relay, or where there is none. */
export function observedAddress({ remote }: Channel, { traits }: Transport): string | undefined {
  const { address } = remote.transportInfo;
  const known = !traits.relayed && endpointFamily(remote) !== 0;
  return known ? (address as string) : undefined;
}
