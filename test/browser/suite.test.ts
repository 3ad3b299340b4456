import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { createRegistrar, type RegistrarServer } from "1tp/registrar";
import { Lab, type Tab } from "./kit/lab.ts";
import { NODE_STAND_INS } from "./kit/stand-ins.ts";
import type { Outcome } from "./page/stand-ins/test.ts";

const lab = Lab.forThisFile();
const registrars = new Map<string, RegistrarServer>();

after(() => Promise.all([...registrars.values()].map((registrar) => registrar.close())));

async function registrar(wish: "start" | "stop", url = ""): Promise<string> {
  if (wish === "stop") {
    await registrars.get(url)?.close();
    registrars.delete(url);
    return url;
  }
  const started = await createRegistrar({ host: "127.0.0.1" });
  registrars.set(started.url, started);
  return started.url;
}

function serveVectors(folder: string): void {
  const names = readdirSync(`test/${folder}`);
  lab.serve(`/${folder}/`, JSON.stringify(names));
  for (const name of names) lab.serve(`/${folder}/${name}`, readFileSync(`test/${folder}/${name}`));
}

async function openSuite(): Promise<Tab> {
  serveVectors("vectors/noise");
  serveVectors("vectors/session");
  const tab = await lab.open("suite", NODE_STAND_INS);
  await tab.page.exposeFunction("registrar", registrar);
  return tab;
}

test("suites written for Node pass in a page", async (t) => {
  const tab = await openSuite();
  const outcomes = await tab.call<Outcome[]>("runAll");
  assert.ok(outcomes.length > 100, `only ${outcomes.length} tests`);
  for (const { name, failure } of outcomes) await t.test(name, () => assert.equal(failure, undefined));
});
