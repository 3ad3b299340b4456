import type { ChannelPath, PathEnd } from "../../src/contract/channel.ts";
import type { Peer } from "./peer.ts";

/** An entry of RTCStatsReport, as far as candidate pairs go (W3C WebRTC statistics). */
interface StatsItem {
  readonly id?: string;
  readonly type?: string;
  readonly selectedCandidatePairId?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly nominated?: boolean;
  readonly selected?: boolean;
  readonly state?: string;
  readonly candidateType?: string;
  readonly address?: string;
  readonly ip?: string;
  readonly port?: number;
}

/** The candidate pair that a connected peer has chosen; undefined where the implementation does not tell. */
export function chosenPath(peer: Peer): Promise<ChannelPath | undefined> {
  return new Promise((resolve) => {
    peer.on("close", () => resolve(undefined));
    try {
      peer.getStats((_error, items) => resolve(pathIn(items ?? [])));
    } catch {
      resolve(undefined);
    }
  });
}

function pathIn(items: readonly StatsItem[]): ChannelPath | undefined {
  const byId = new Map(items.map((item) => [item.id, item]));
  const transport = items.find((item) => item.selectedCandidatePairId !== undefined);
  const pair =
    byId.get(transport?.selectedCandidatePairId) ??
    items.find(({ type, selected }) => type === "candidate-pair" && selected) ??
    items.find(
      ({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded",
    );
  const [local, remote] = [byId.get(pair?.localCandidateId), byId.get(pair?.remoteCandidateId)].map(endOf);
  if (!local || !remote) return undefined;
  return { relayed: local.type === "relay" || remote.type === "relay", local, remote };
}

function endOf(candidate: StatsItem | undefined): PathEnd | undefined {
  if (!candidate) return undefined;
  const { candidateType: type = "unknown", ip, address = ip, port } = candidate;
  return { type, ...(address ? { address } : {}), ...(port ? { port: Number(port) } : {}) };
}
