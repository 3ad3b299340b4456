import type { Stack } from "../contest.ts";

/** For workloads that simulate both ends and the network between them. */
export const simulated: Stack = {
  name: "simulation",
  listen: async () => null,
  connect: () => Promise.reject(new Error("a simulation connects by itself")),
};
