import { checkPort, typeError } from "../base/argument.ts";
import type { Endpoint, JsonObject } from "../contract/endpoint.ts";
import { parseEndpoint } from "./connection-info.ts";

/** One wish of where to listen; `transportInfo` is such as `{ address, port }`. */
export type ListeningInfo = Endpoint | readonly (Endpoint | null)[];

/** For whoever tries it with a port alone. */
const EXAMPLE = "{ transportType: 'tcp', transportInfo: { port: 8080 } }";

/**
 * The usable entries of a listeningInfo. It is the user's own, so wrong types throw; entries that are null
 * are passed over.
 * @throws ERR_INVALID_ARG_TYPE, ERR_SOCKET_BAD_PORT
 */
export function checkListeningInfo(listeningInfo: unknown): readonly Endpoint[] {
  if (listeningInfo === undefined || listeningInfo === null) return [];
  if (typeof listeningInfo !== "object")
    throw typeError("listeningInfo", `an array of entries such as ${EXAMPLE}`, listeningInfo);
  const entries: readonly unknown[] = Array.isArray(listeningInfo) ? listeningInfo : [listeningInfo];
  return entries.flatMap((entry, i) =>
    entry === null || entry === undefined ? [] : [checkEntry(entry, `listeningInfo[${i}]`)],
  );
}

function checkEntry(entry: unknown, name: string): Endpoint {
  const { address, port }: JsonObject = (entry as Partial<Endpoint>).transportInfo ?? {};
  if (address !== undefined && address !== null && typeof address !== "string") {
    throw typeError(`${name}.transportInfo.address`, "of type string", address);
  }
  if (port !== undefined && port !== null) checkPort(`${name}.transportInfo.port`, port);
  const endpoint = parseEndpoint(entry);
  if (!endpoint) throw typeError(name, "an object with transportType and transportInfo", entry);
  return endpoint;
}
