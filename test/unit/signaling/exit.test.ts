import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createRegistrar } from "../../../signaling/registrar/index.ts";

const FLAGS = ["--conditions=1tp-source", "--import", "tsx"];

for (const mode of ["closes the signaling", "closes the registration", "unrefs"]) {
  test(`a process that ${mode} exits by itself`, { timeout: 30_000 }, async () => {
    const registrar = await createRegistrar({ host: "127.0.0.1" });
    const script = new URL("./exit-program.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [...FLAGS, script, registrar.url, mode], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    const [code] = await once(child, "close");
    assert.deepEqual([code, printed], [0, "heard"]);
    await registrar.close();
  });
}
