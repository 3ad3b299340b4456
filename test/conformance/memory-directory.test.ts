import { MemoryDirectory } from "../../signaling/registrar/memory-directory.ts";
import { testDirectory } from "./test-directory.ts";

testDirectory({
  name: "memory",
  start: async () => ({ directory: new MemoryDirectory(), stop: async () => {} }),
});
