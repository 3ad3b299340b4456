import { codeOf, OnetpError } from "../base/errors.ts";

/** One of several things that failed, and how the message is to name it. */
export interface Failure {
  readonly error: Error;
  readonly description: string;
}

/** Chosen: an error message stays readable. */
const MAX_NAMED = 8;

/**
 * One error for several: its code is theirs if they agree, else `ERR_1TP_ALL_ATTEMPTS_FAILED`; its message
 * names them, its `cause` is an AggregateError of them. A single system error keeps its own message.
 */
export function combineErrors(syscall: string, failures: readonly Failure[]): Error {
  const errors = failures.map(({ error }) => error);
  const cause = new AggregateError(errors, "every attempt failed");
  const detail = nameAll(failures);
  const first = errors[0];
  const code = codeOf(first);
  if (!first || code === undefined || errors.some((error) => codeOf(error) !== code)) {
    return new OnetpError("ERR_1TP_ALL_ATTEMPTS_FAILED", { detail, cause });
  }
  const message = errors.length === 1 ? first.message : `every attempt failed: ${detail}`;
  if (first.name !== "OnetpError") return Object.assign(new Error(message, { cause }), { code, syscall });
  const { phase, transport, status } = first as OnetpError;
  const details = {
    cause,
    ...(phase && { phase }),
    ...(transport && { transport }),
    ...(status && { status }),
  };
  return Object.assign(new OnetpError((first as OnetpError).code, details), { message });
}

function nameAll(failures: readonly Failure[]): string {
  const named = failures.slice(0, MAX_NAMED).map(({ description }) => description);
  if (failures.length > MAX_NAMED) named.push(`and ${failures.length - MAX_NAMED} more`);
  return named.join(", ");
}
