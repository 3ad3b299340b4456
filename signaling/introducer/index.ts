export { SocketIntroducer } from "./introducer.ts";
export { IntroducerSignaling } from "./signaling.ts";
export type { IntroducingSocket } from "./socket-signaling.ts";
