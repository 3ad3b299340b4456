import { MemoryTransport } from "../../transports/memory/index.ts";
import { testTransport } from "./test-transport.ts";

testTransport({
  name: "memory",
  create: () => new MemoryTransport(),
  program: { module: import.meta.resolve("../../transports/memory/index.ts"), name: "MemoryTransport" },
});
