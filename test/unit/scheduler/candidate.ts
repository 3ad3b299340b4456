import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { Candidate } from "../../../src/contract/scheduler.ts";
import type { Transport } from "../../../src/contract/transport.ts";

/** A transport that is only planned with; it accepts its own type unless told otherwise. */
export function plannedTransport(
  type: string,
  { cost = 0, datagrams = false, accepts = (entry: Endpoint) => entry.transportType === type } = {},
): Transport {
  return {
    type,
    traits: { cost, relayed: false, signaled: false, datagrams },
    connectTimeout: 5_000,
    accepts,
    dial: () => Promise.reject(new Error("nobody dials here")),
  };
}

/** A candidate of a transport that costs nothing. */
export function candidate(endpoint: Endpoint): Candidate {
  return { endpoint, transport: plannedTransport(endpoint.transportType), cost: 0 };
}

/** An entry with an address, or with only a name where `address` is undefined. */
export function entry(transportType: string, address?: string, port = 1): Endpoint {
  return { transportType, transportInfo: address === undefined ? { name: "x" } : { address, port } };
}
