export { TurnTransport, type TurnTransportOptions } from "./transport.ts";
