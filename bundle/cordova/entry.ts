// 1tp for Chrome apps and Cordova: Node's transports, on the sockets that are there.
import { tcp } from "#platform";
import type { Transport } from "../../src/contract/transport.ts";
import * as onetp from "../../src/index.ts";
import { setDefaultTransports } from "../../src/net/default-transports.ts";
import { unsupported } from "../../src/preset/unsupported.ts";
import { findInterfaces } from "./interfaces.ts";
import { cordovaPreset } from "./preset.ts";

export * from "../../src/index.ts";

type TransportClass = new (...options: never[]) => Transport;

/** Its listeners look for the device's addresses first, of which the API tells when asked. */
function informed<Class extends TransportClass>(transportClass: Class): Class {
  return new Proxy(transportClass, {
    construct(target, options, newTarget) {
      const transport: Transport = Reflect.construct(target, options, newTarget);
      const { listen } = transport;
      if (!listen) return transport;
      return Object.assign(transport, {
        listen: async (context: Parameters<typeof listen>[0]) => {
          await findInterfaces();
          return listen.call(transport, context);
        },
      });
    },
  });
}

/** Those that listen on addresses of the device. */
export const TcpTransport = informed(onetp.TcpTransport);
export const UdpTransport = informed(onetp.UdpTransport);
export const UdpPunchTransport = informed(onetp.UdpPunchTransport);

/** Not here: connections cannot choose the port they leave from. */
export const TcpPunchTransport = unsupported<typeof onetp.TcpPunchTransport>("tcp-punch", "use udp-punch");

/** The transports by their words, to be used with `new`. */
export const transports = {
  ...onetp.transports,
  tcp: TcpTransport,
  udp: UdpTransport,
  "udp-punch": UdpPunchTransport,
  "tcp-punch": TcpPunchTransport,
} as const;

setDefaultTransports(() => cordovaPreset(transports, { tcp: tcp !== undefined }));
