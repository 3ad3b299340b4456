import type { Json } from "../../src/contract/endpoint.ts";

/** What one end tells the other through the dialog. */
export type Signal =
  | { readonly type: "offer" | "answer"; readonly sdp: string }
  | { readonly type: "candidate"; readonly candidate: Candidate }
  | { readonly type: "failed"; readonly reason: string };

interface Candidate {
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
}

/** Chosen: candidates have about 150 characters. */
const MAX_CANDIDATE = 512;

/** What a peer takes that names no size (RFC 8841 §6.1), and what we send at most: a session's record. */
const MAX_MESSAGE = 65_536;

/** A signal of a peer, with the fields we know alone; undefined if it is none of ours. Never throws. */
export function readSignal(body: Json): Signal | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const { type, sdp, candidate, reason } = body as Record<string, Json | undefined>;
  if (type === "offer" || type === "answer") return typeof sdp === "string" ? { type, sdp } : undefined;
  if (type === "candidate") return readCandidate(candidate);
  return type === "failed" ? { type, reason: printable(reason) } : undefined;
}

function readCandidate(value: Json | undefined): Signal | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { candidate, sdpMid = null, sdpMLineIndex = null } = value as Record<string, Json | undefined>;
  if (typeof candidate !== "string" || candidate.length > MAX_CANDIDATE) return undefined;
  if (!/^(a=)?candidate:[!-~ ]+$/.test(candidate)) return undefined;
  if (sdpMid !== null && typeof sdpMid !== "string") return undefined;
  if (sdpMLineIndex !== null && !(Number.isInteger(sdpMLineIndex) && Number(sdpMLineIndex) >= 0))
    return undefined;
  return {
    type: "candidate",
    candidate: { candidate, sdpMid, sdpMLineIndex: sdpMLineIndex as number | null },
  };
}

/**
 * The signal with those candidates alone that `keep` wants, which is asked for the host of each, `undefined` where it is hard to tell;
 * undefined if nothing is left of it. It does not say that no more candidates follow: libdatachannel hears that before the candidates
 * of the same description, and may give up.
 */
export function withCandidates(
  signal: Exclude<Signal, { type: "failed" }>,
  keep: (host: string | undefined) => boolean,
): Exclude<Signal, { type: "failed" }> | undefined {
  if (signal.type === "candidate") return keep(hostIn(signal.candidate.candidate)) ? signal : undefined;
  const lines = signal.sdp.split(/\r\n|\r|\n/);
  const kept = lines.filter((line) => (/candidate:/i.test(line) ? keep(hostIn(line)) : !isEnd(line)));
  return kept.length === lines.length ? signal : { ...signal, sdp: kept.join("\r\n") };
}

/** RFC 8840 §8.2. */
function isEnd(line: string): boolean {
  return /^a=end-of-candidates\s*$/i.test(line);
}

/** The host of a candidate (RFC 8839 §5.1). */
function hostIn(candidate: string): string | undefined {
  return /^(?:a=)?candidate:\S+ \d+ \S+ \d+ (\S+) \d+ typ /.exec(candidate)?.[1];
}

/** Words of a stranger that go into an error's message. */
function printable(reason: Json | undefined): string {
  const text = typeof reason === "string" ? reason.slice(0, 200) : "";
  return text.replace(/[^ -~]/g, "?") || "nothing";
}

/** The candidate types that an SDP or a candidate names: host, srflx, prflx, relay (RFC 8839 §5.1). */
export function typesIn(text: string): readonly string[] {
  return [...text.matchAll(/ typ (host|srflx|prflx|relay)\b/g)].map(([, type]) => type!);
}

/** Bytes of the longest message that whoever wrote the SDP takes and we send (RFC 8841 §6). */
export function maxMessageIn(sdp: string): number {
  const size = Number(/^a=max-message-size:(\d{1,10})\s*$/m.exec(sdp)?.[1] ?? MAX_MESSAGE);
  return size === 0 ? MAX_MESSAGE : Math.min(Math.max(size, 1), MAX_MESSAGE);
}
