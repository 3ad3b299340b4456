import type { SocketAddress } from "../../contract/datagram-socket.ts";

/**
 * Where one side of a TCP punch may be met: at an own address and the port that it connects from (`host`), where a server has seen that
 * port (`reflexive`), or at an own address and a port that it listens on (`listening`).
 */
export type TcpCandidateKind = "host" | "reflexive" | "listening";

/** What a connection of ours leads to: a candidate, a guess where the peer will come from, or whoever has connected to us. */
export type LinkKind = TcpCandidateKind | "predicted" | "accepted";

/** All kinds. */
export const TCP_CANDIDATE_KINDS: readonly TcpCandidateKind[] = ["host", "reflexive", "listening"];

/** One address of one side. */
export interface TcpCandidate extends SocketAddress {
  readonly kind: TcpCandidateKind;
}
