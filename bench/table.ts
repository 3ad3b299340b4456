import type { Result } from "./contest.ts";

const HEAD = ["figure", "ours", "peer", "ratio", "target", "ok"];

/** A Markdown table with columns of even width. */
export function table(results: readonly Result[]): string {
  const lines = [HEAD, ...results.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  const pad = (line: readonly string[]): string[] =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
  const [head, ...body] = lines.map(pad);
  return [head!, rule, ...body].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function cells({ figure, unit, names, ours, peer, ratio, target, ok }: Result): string[] {
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
