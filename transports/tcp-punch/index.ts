export { TcpPunchTransport, type TcpPunchTransportOptions } from "./transport.ts";
