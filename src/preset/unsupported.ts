import { OnetpError } from "../base/errors.ts";

/**
 * Stands in for the class of a transport that this runtime cannot have.
 * @throws OnetpError `ERR_1TP_UNSUPPORTED` from its constructor, saying what to use instead.
 */
export function unsupported<Class>(word: string, detail: string): Class {
  const StandIn = class {
    constructor() {
      throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail, transport: word });
    }
  };
  return StandIn as Class;
}
