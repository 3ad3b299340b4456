import { TcpTransport } from "../../transports/tcp/index.ts";
import { testTransport } from "./test-transport.ts";

const program = { module: import.meta.resolve("../../transports/tcp/index.ts"), name: "TcpTransport" };

for (const address of ["127.0.0.1", "::1"]) {
  testTransport({
    name: `tcp over ${address}`,
    create: () => new TcpTransport(),
    listeningInfo: [{ transportType: "tcp", transportInfo: { address } }],
    program,
  });
}
