import type { Result, Row } from "./contest.ts";

const HEAD = ["figure", "ours", "peer", "ratio", "target", "ok"];

/** The cells of a line of the table. */
export type Line = readonly string[];

/** A Markdown table with columns of even width. */
export function table(results: readonly Line[]): string {
  const lines = [HEAD, ...results];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  const pad = (line: Line): string[] =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
  const [head, ...body] = lines.map(pad);
  return [head!, rule, ...body].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** The lines of a table in a text, by what stands in their first cell. */
export function linesIn(text: string): Map<string, Line> {
  const rows = text.split("\n").filter((line) => line.startsWith("| "));
  const lines = rows.map((row) => row.slice(1, -1).split("|"));
  return new Map(lines.map((line) => [line[0]!.trim(), line.map((cell) => cell.trim())]));
}

/** How a row is called in the table. */
export function titleOf({ figure, peer }: Row): string {
  return peer ? `${figure} (${peer.name})` : figure;
}

/** What was measured, for people. */
export function cells({ figure, unit, names, ours, peer, ratio, target, ok }: Result): Line {
  const suffix = { ratio: " ×", ours: ` ${unit}`.trimEnd(), excess: ` ${unit} more` }[target.of];
  const goal = `${target.bound} ${target.value}${suffix}`;
  return [
    names.peer ? `${figure} (${names.peer})` : figure,
    `${digits(ours)} ${unit}`.trimEnd(),
    names.peer ? `${digits(peer)} ${unit}`.trimEnd() : "",
    target.of === "ratio" ? ratio.toFixed(2) : "",
    goal,
    ok ? "yes" : "NO",
  ];
}

/** Three digits that count: 3175, 24.1, 0.32. */
function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
}
