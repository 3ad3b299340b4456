export { RelayTransport, type RelayTransportOptions } from "./transport.ts";
