import { connect, createServer } from "node:tls";
import { selfSigned } from "../../test/conformance/programs/certificate.ts";
import type { Stack } from "../contest.ts";

const NAME = "onetp.test";

interface Address {
  readonly port: number;
  readonly cert: string;
}

/** TLS 1.3 by Node's own module. The server has a certificate of its own, which the client trusts and checks. */
export function nodeTls(via: (port: number) => Promise<number> = async (port) => port): Stack {
  return {
    name: "node:tls",
    listen: (onConnection) =>
      new Promise((resolve, reject) => {
        const { key, cert } = selfSigned(NAME);
        const server = createServer({ key, cert, minVersion: "TLSv1.3" }, onConnection);
        server.once("error", reject).listen(0, "127.0.0.1", () => {
          const { port } = server.address() as { port: number };
          resolve({ port, cert } satisfies Address);
        });
      }),
    connect: async (address) => {
      const { port, cert } = address as Address;
      const target = { port: await via(port), host: "127.0.0.1", ca: cert, servername: NAME };
      return new Promise((resolve, reject) => {
        const socket = connect(target, () => resolve(socket.off("error", reject)));
        socket.once("error", reject);
      });
    },
  };
}
