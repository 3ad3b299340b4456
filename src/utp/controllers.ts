import { Bbr } from "./bbr.ts";
import type { CongestionController, ControllerOptions } from "./congestion.ts";
import { Ledbat } from "./ledbat.ts";

/** Every congestion controller by its name. */
const CONTROLLERS: Readonly<Record<string, (options: ControllerOptions) => CongestionController>> = {
  bbr: (options) => new Bbr(options),
  ledbat: (options) => new Ledbat(options),
};

/** The names `congestion` takes. */
export const CONTROLLER_NAMES: readonly string[] = Object.keys(CONTROLLERS);

/** Makes a controller, or returns undefined for a name nobody has. */
export function makeController(name: string, options: ControllerOptions): CongestionController | undefined {
  return Object.hasOwn(CONTROLLERS, name) ? CONTROLLERS[name]!(options) : undefined;
}
