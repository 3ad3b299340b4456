import { formatEndpoint } from "../base/endpoint.ts";
import type { AttemptReport } from "./report.ts";

/** Characters of the time line. */
const WIDTH = 40;

/** A dial's report for people: a line per attempt with its endpoint, a bar on the time line, and what became of it. */
export function formatReport(report: readonly AttemptReport[]): string {
  const total = Math.max(1, ...report.map(({ end = 0 }) => end));
  const names = report.map(({ endpoint }) => formatEndpoint(endpoint));
  const widest = Math.max(0, ...names.map(({ length }) => length));
  return report
    .map((attempt, i) => `${names[i]!.padEnd(widest)} ${formatAttempt(attempt, total)}`)
    .join("\n");
}

function formatAttempt({ start, end, outcome, phase, error, path }: AttemptReport, total: number): string {
  if (start === undefined) return `|${" ".repeat(WIDTH)}| not begun`;
  const column = (ms: number): number => Math.round((ms / total) * WIDTH);
  const until = end ?? total;
  const bar = "=".repeat(Math.max(1, column(until) - column(start))).padStart(column(until));
  const times = `${start.toFixed(0)} to ${until.toFixed(0)} ms`;
  const reason = error ? ` in ${phase}: ${error.message}` : "";
  const way = path
    ? `, ${path.relayed ? "relayed" : "direct"} (${path.local.type} to ${path.remote.type})`
    : "";
  return `|${bar.slice(0, WIDTH).padEnd(WIDTH)}| ${times}, ${outcome}${way}${reason}`;
}
