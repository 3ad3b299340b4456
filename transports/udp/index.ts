export { UdpTransport, type UdpTransportOptions } from "./transport.ts";
