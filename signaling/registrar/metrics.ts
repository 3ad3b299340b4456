import type { BindingResponder } from "../../src/stun/responder.ts";
import type { Registrar } from "./registrar.ts";

/** A registrar's figures in the text format of Prometheus, version 0.0.4. */
export function formatMetrics(
  registrar: Registrar,
  stun?: Pick<BindingResponder, "answers" | "drops">,
): string {
  const { relay } = registrar;
  const { refusals, ...totals } = registrar.counters;
  const gauges = { ...registrar.gauges(), ...(relay && { relay_ends: relay.size }) };
  const lines: string[] = [];
  for (const [name, value] of Object.entries(gauges)) {
    const metric = `onetp_registrar_${name}`;
    lines.push(`# TYPE ${metric} gauge`, `${metric} ${value}`);
  }
  for (const [name, value] of Object.entries(totals)) lines.push(...counter(name, value));
  for (const [name, value] of Object.entries(relay?.counters ?? {})) {
    lines.push(...counter(`relay_${name}`, value));
  }
  lines.push(...labelled("refusals", "code", Object.entries(refusals)));
  if (stun)
    lines.push(...counter("stun_answers", stun.answers), ...labelled("stun_drops", "reason", stun.drops));
  return `${lines.join("\n")}\n`;
}

function counter(name: string, value: number): string[] {
  const metric = `onetp_registrar_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;
  return [`# TYPE ${metric} counter`, `${metric} ${value}`];
}

function labelled(name: string, label: string, values: Iterable<readonly [string, number]>): string[] {
  const metric = `onetp_registrar_${name}_total`;
  return [
    `# TYPE ${metric} counter`,
    ...[...values].map(([key, value]) => `${metric}{${label}="${key}"} ${value}`),
  ];
}
