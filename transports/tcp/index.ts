export { TcpTransport, type TcpTransportOptions } from "./transport.ts";
