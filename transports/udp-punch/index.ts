export { UdpPunchTransport, type UdpPunchTransportOptions } from "./transport.ts";
