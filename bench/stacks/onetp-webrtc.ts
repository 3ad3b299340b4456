import { createRegistrar } from "../../signaling/registrar/index.ts";
import { type ConnectionInfo, signaling, transports } from "../../src/index.ts";
import type { Stack } from "../contest.ts";
import { type OnetpOptions, onetp } from "./onetp.ts";

/** 1tp over webrtc, which meets at a registrar in the server's process. */
export function onetpWebRtc(options: OnetpOptions): Stack {
  const at = (url: string): Stack =>
    onetp(new transports.webrtc({ signaling: new signaling.websocket({ url }) }), options);
  let client: Stack | undefined;
  return {
    name: "1tp webrtc",
    listen: async (onConnection) => {
      const { url } = await createRegistrar({ host: "127.0.0.1" });
      return at(url).listen(onConnection);
    },
    connect: (address) => {
      const [entry] = address as ConnectionInfo;
      client ??= at(String(entry?.transportInfo.url));
      return client.connect(address);
    },
  };
}
