import type { BindingResponder } from "../../src/stun/responder.ts";
import type { RegistrarCounters } from "./mailroom.ts";
import type { RegistrarGauges } from "./registrar.ts";

/** A registrar's figures in the text format of Prometheus, version 0.0.4. */
export function formatMetrics(
  gauges: RegistrarGauges,
  counters: RegistrarCounters,
  stun?: Pick<BindingResponder, "answers" | "drops">,
): string {
  const { refusals, ...totals } = counters;
  const lines: string[] = [];
  for (const [name, value] of Object.entries(gauges)) {
    const metric = `onetp_registrar_${name}`;
    lines.push(`# TYPE ${metric} gauge`, `${metric} ${value}`);
  }
  for (const [name, value] of Object.entries(totals)) {
    const metric = `onetp_registrar_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;
    lines.push(`# TYPE ${metric} counter`, `${metric} ${value}`);
  }
  const refused = "onetp_registrar_refusals_total";
  lines.push(`# TYPE ${refused} counter`);
  for (const [code, value] of Object.entries(refusals)) lines.push(`${refused}{code="${code}"} ${value}`);
  if (stun) {
    const [answers, drops] = ["onetp_registrar_stun_answers_total", "onetp_registrar_stun_drops_total"];
    lines.push(`# TYPE ${answers} counter`, `${answers} ${stun.answers}`, `# TYPE ${drops} counter`);
    for (const [reason, value] of stun.drops) lines.push(`${drops}{reason="${reason}"} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}
