import { invariant } from "../base/errors.ts";
import type { Transport } from "../contract/transport.ts";

let preset: (() => readonly Transport[]) | undefined;

/** Names the transports a Socket or Server has when it is given none. The entry of each runtime calls it once. */
export function setDefaultTransports(make: () => readonly Transport[]): void {
  preset = make;
}

/** New instances of this runtime's default transports. */
export function defaultTransports(): readonly Transport[] {
  invariant(preset, "the entry of a runtime sets the default transports");
  return preset();
}
