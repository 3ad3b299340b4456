import { codeOf, nodeError, toError } from "../base/errors.ts";

/** Makes something of environment variables. What is wrong with them is thrown with their names and the code it has. */
export function ofVariables<T>(names: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const message = `${names} in the environment: ${toError(error).message}`;
    throw nodeError(codeOf(error) ?? "ERR_INVALID_ARG_VALUE", message, TypeError);
  }
}
