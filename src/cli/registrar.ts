import { createRegistrar, type RegistrarServer } from "../../signaling/registrar/index.ts";
import { version } from "../index.ts";
import { registrarOptions } from "./registrar-options.ts";

/** Runs a registrar until a signal ends it. Rejects if it cannot listen. */
export async function runRegistrar(args: readonly string[]): Promise<void> {
  const registrar = await createRegistrar(registrarOptions(args));
  const signal = firstSignal();
  console.log(`1tp ${version} registrar, process ${process.pid}`);
  for (const line of places(registrar)) console.log(line);
  console.log(`${await signal}: draining; a second signal cuts`);
  await registrar.close();
  console.log("closed");
}

/** Resolves once; a further signal ends the process as it does by default. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const settle = (signal: NodeJS.Signals): void => {
      process.off("SIGTERM", settle).off("SIGINT", settle);
      resolve(signal);
    };
    process.on("SIGTERM", settle).on("SIGINT", settle);
  });
}

function places({ urls, stun }: RegistrarServer): string[] {
  const hosts = new Map<number, string[]>();
  for (const { address, port } of stun) hosts.set(port, [...(hosts.get(port) ?? []), address]);
  return [
    ...urls.map((url) => `url ${url}`),
    ...[...hosts].map(([port, own]) => `stun port ${port}, UDP and TCP, on ${own.join(" ")}`),
  ];
}
