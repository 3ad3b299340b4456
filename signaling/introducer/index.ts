export { SocketIntroducer } from "./introducer.ts";
export { IntroducerSignaling, type IntroducingSocket } from "./signaling.ts";
