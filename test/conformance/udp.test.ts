import { UdpTransport } from "../../transports/udp/index.ts";
import { testTransport } from "./test-transport.ts";

const program = { module: import.meta.resolve("../../transports/udp/index.ts"), name: "UdpTransport" };

for (const address of ["127.0.0.1", "::1"]) {
  testTransport({
    name: `udp over ${address}`,
    create: () => new UdpTransport(),
    listeningInfo: [{ transportType: "udp", transportInfo: { address } }],
    program,
  });
}
