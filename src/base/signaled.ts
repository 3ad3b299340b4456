import type { Signaling } from "../contract/dialog.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import { typeError } from "./argument.ts";

/** Checks the option `signaling` of a signaled transport. @throws ERR_INVALID_ARG_TYPE for what is no Signaling. */
export function checkSignaling(value: unknown): asserts value is Signaling {
  const { accepts, register, open } = (value ?? {}) as Partial<Signaling>;
  if ([accepts, register, open].every((method) => typeof method === "function")) return;
  throw typeError("options.signaling", "a Signaling, such as new WebSocketSignaling({ url })", value);
}

/** Whether dialogs can be opened with the endpoint by `signaling`. Never throws, whatever a stranger wrote. */
export function isSignaledBy(signaling: Signaling, endpoint: Endpoint): boolean {
  const info: unknown = endpoint.transportInfo;
  return typeof info === "object" && info !== null && signaling.accepts(endpoint.transportInfo);
}
