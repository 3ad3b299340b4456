import { LocalHub, LocalSignaling } from "../../signaling/local/index.ts";
import { testSignaling } from "./test-signaling.ts";

testSignaling({
  name: "local",
  async start() {
    const hub = new LocalHub();
    return { create: () => new LocalSignaling({ hub }), stop: async () => {} };
  },
});
