export { LocalHub } from "./hub.ts";
export { LocalSignaling, type LocalSignalingOptions } from "./signaling.ts";
