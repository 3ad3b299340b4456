export { WebSocketSignaling, type WebSocketSignalingOptions } from "./signaling.ts";
