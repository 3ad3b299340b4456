import { codeOf } from "../base/errors.ts";
import { type ListeningRequest, listeningRequests, relaxedRequest } from "../base/listening.ts";
import type { ListenContext } from "../contract/transport.ts";

/** How one group of addresses is bound, and given back. */
export interface Binding<Bound> {
  bind(request: ListeningRequest): Promise<Bound>;
  release(bound: Bound): void;
}

/** Binds all that the context asks for, or what is next to it; or rejects with the system's error and holds nothing. */
export async function bindIndicated<Bound>(
  { listeningInfo, runtime, exclusive }: ListenContext,
  { bind, release }: Binding<Bound>,
): Promise<Bound[]> {
  const bindNear = async (request: ListeningRequest): Promise<Bound> => {
    try {
      return await bind(request);
    } catch (error) {
      const weaker = relaxedRequest(request, codeOf(error), runtime.interfaces());
      if (exclusive || !weaker) throw error;
      return bindNear(weaker);
    }
  };
  const bound: Bound[] = [];
  try {
    for (const request of listeningRequests(listeningInfo, runtime.interfaces(), exclusive)) {
      bound.push(await bindNear(request));
    }
  } catch (error) {
    for (const one of bound) release(one);
    throw error;
  }
  return bound;
}
