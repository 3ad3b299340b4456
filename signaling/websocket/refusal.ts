import { codeOf, OnetpError, systemError } from "../../src/base/errors.ts";
import type { WebSocketClose } from "../../src/contract/web-socket.ts";
import type { Refusal } from "../registrar/protocol.ts";

/** What a registrar refused or ended, as an error with a code. */
export function refusalError({ code, text }: Refusal): Error {
  const detail = text ?? code;
  switch (code) {
    case "offline":
      return new OnetpError("ERR_1TP_PEER_OFFLINE");
    case "lost":
      return systemError("ECONNRESET", "read");
    case "too-large":
    case "too-fast":
    case "too-many":
    case "too-much":
      return new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail });
    case "unread":
      return new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail: "too many signals wait for a reader" });
    default:
      return new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail });
  }
}

/** Why a connection to a registrar is gone, as an error with a code. */
export function closeError({ status, reason, error }: WebSocketClose): Error {
  if (error && codeOf(error)?.startsWith("E")) return error;
  const details = { detail: reason || error?.message || `status ${status}`, status, cause: error };
  if (status === 1013) return new OnetpError("ERR_1TP_SIGNALING_LIMIT", details);
  if (error || status === 1002 || status === 1008) {
    return new OnetpError("ERR_1TP_SIGNALING_REFUSED", details);
  }
  return systemError("ECONNRESET", "read");
}
