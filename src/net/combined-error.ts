import { codeOf, OnetpError } from "../base/errors.ts";

/** One of several things that failed, and how the message is to name it. */
export interface Failure {
  readonly error: Error;
  readonly description: string;
}

/** Chosen: an error message stays readable. */
const MAX_NAMED = 8;

/**
 * One error for several. It has the code, and of 1tp's own errors phase, transport and status, that all of
 * them have; without a common code `ERR_1TP_ALL_ATTEMPTS_FAILED`. Its message names them, its `cause` is an
 * AggregateError of them. A single error with a code keeps its message.
 */
export function combineErrors(syscall: string, failures: readonly Failure[]): Error {
  const cause = aggregate(failures);
  const errors: readonly Error[] = cause.errors;
  const names = nameAll(failures);
  const code = agreed(errors.map(codeOf));
  if (code === undefined) return new OnetpError("ERR_1TP_ALL_ATTEMPTS_FAILED", { detail: names, cause });
  const message = errors.length === 1 ? errors[0]!.message : `every attempt failed: ${names}`;
  const own = errors.filter((error) => error instanceof OnetpError);
  if (own.length < errors.length) return Object.assign(new Error(message, { cause }), { code, syscall });
  return new OnetpError(own[0]!.code, {
    message,
    cause,
    phase: agreed(own.map(({ phase }) => phase)),
    transport: agreed(own.map(({ transport }) => transport)),
    status: agreed(own.map(({ status }) => status)),
  });
}

/** What failed, in order, as the cause of the one error that tells of it. */
export function aggregate(failures: readonly Failure[]): AggregateError {
  return new AggregateError(
    failures.map(({ error }) => error),
    "every attempt failed",
  );
}

/** The descriptions in one line, the first eight of them. */
export function nameAll(failures: readonly Failure[]): string {
  const named = failures.slice(0, MAX_NAMED).map(({ description }) => description);
  if (failures.length > MAX_NAMED) named.push(`and ${failures.length - MAX_NAMED} more`);
  return named.join(", ");
}

/** The value all of them have, if they do. */
export function agreed<T>(values: readonly T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}
