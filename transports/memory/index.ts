export { MemoryHub } from "./hub.ts";
export { MemoryTransport, type MemoryTransportOptions } from "./transport.ts";
