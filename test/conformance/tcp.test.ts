import { test } from "node:test";
import { runtime } from "#platform";
import { TcpTransport } from "../../transports/tcp/index.ts";
import { testTransport } from "./test-transport.ts";

const program = { module: import.meta.resolve("../../transports/tcp/index.ts"), name: "TcpTransport" };
const own = runtime.interfaces().map(({ address }) => address);

for (const address of ["127.0.0.1", "::1"]) {
  if (own.includes(address)) {
    testTransport({
      name: `tcp over ${address}`,
      create: () => new TcpTransport(),
      listeningInfo: [{ transportType: "tcp", transportInfo: { address } }],
      program,
    });
  } else {
    test(`transport tcp over ${address}`, { skip: `this machine has no ${address}` });
  }
}
