import type { SocketAddress } from "../contract/datagram-socket.ts";
import { ALTERNATE_SERVER } from "../stun/addresses.ts";
import type { StunClientEvent, StunFailure } from "../stun/client.ts";
import { ERROR_CODE, TRY_ALTERNATE } from "../stun/errors.ts";
import type { ReceivedMessage } from "../stun/message.ts";

/**
 * Why something was not granted: the server refused (`status`), its response says nothing useful, it kept the
 * allocation no longer, or there was no response.
 */
export interface TurnFailure {
  readonly reason: "refused" | "malformed" | "expired" | StunFailure;
  /** The error code of the response (RFC 8656 §19), and its words. */
  readonly status?: number | undefined;
  readonly words?: string | undefined;
  /** Of status 300: whom to ask instead. */
  readonly alternate?: SocketAddress | undefined;
}

/** What became of a request. */
export type Outcome =
  | { readonly message: ReceivedMessage; readonly failure?: undefined }
  | { readonly message?: undefined; readonly failure: TurnFailure };

/** The end of a request as an outcome. */
export function outcomeOf(event: StunClientEvent): Outcome {
  return event.type === "failure" ? { failure: { reason: event.reason } } : answerOf(event.message);
}

/** A response as an outcome. */
export function answerOf(message: ReceivedMessage): Outcome {
  if (message.class === "success") return { message };
  const error = ERROR_CODE.in(message);
  const alternate = error?.code === TRY_ALTERNATE ? ALTERNATE_SERVER.in(message) : undefined;
  if (!error) return { failure: { reason: "malformed" } };
  return { failure: { reason: "refused", status: error.code, words: error.reason, alternate } };
}

/** Whether asking again may help: nobody answered, or the server is in trouble (RFC 8656 §19, 5xx). */
export function mayPass({ reason, status }: TurnFailure): boolean {
  if (reason === "refused") return status !== undefined && status >= 500;
  return reason !== "ECONNREFUSED";
}
