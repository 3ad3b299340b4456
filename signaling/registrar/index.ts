export type { Directory, Place } from "../../src/contract/directory.ts";
export { DEFAULT_LIMITS, type RegistrarLimits } from "./limits.ts";
export { MemoryDirectory } from "./memory-directory.ts";
export type { CreateRegistrarOptions } from "./options.ts";
export { createRegistrar, type RegistrarServer } from "./server.ts";
export type { StunOptions, TurnOptions } from "./services.ts";
