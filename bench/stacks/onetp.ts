import { type ConnectionInfo, net, type ServerOptions, type Transport } from "../../src/index.ts";
import type { Stack } from "../contest.ts";

/** How 1tp is used. */
export interface OnetpOptions extends Pick<ServerOptions, "security"> {
  /** The cipher that the server asks for. */
  readonly suite?: "AESGCM" | "ChaChaPoly";
  /** The port to dial in place of the server's. */
  readonly via?: (port: number) => Promise<number>;
}

/** 1tp over one transport on the loopback address. */
export function onetp(transport: Transport, { security, suite, via }: OnetpOptions): Stack {
  const { type } = transport;
  const options = security ? { security } : {};
  return {
    name: `1tp ${type}`,
    listen: async (onConnection) => {
      const server = net.createServer([transport], options, onConnection);
      const info = await server.listenP([
        { transportType: type, transportInfo: { address: "127.0.0.1", port: 0 } },
      ]);
      return suite ? info.map((entry) => ({ ...entry, suite })) : info;
    },
    connect: async (address) => {
      const info = await detour(address as ConnectionInfo, via);
      return new Promise((resolve, reject) => {
        const socket = net.createConnection(info, [transport], options, () =>
          resolve(socket.off("error", reject)),
        );
        socket.once("error", reject);
      });
    },
  };
}

async function detour(info: ConnectionInfo, via: OnetpOptions["via"]): Promise<ConnectionInfo> {
  const [entry] = info;
  if (!via || !entry) return info;
  const port = await via(entry.transportInfo.port as number);
  return [{ ...entry, transportInfo: { ...entry.transportInfo, port } }];
}
