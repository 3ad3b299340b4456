import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "../run/test-file.ts";
import { Lab } from "./kit/lab.ts";
import { ENVIRONMENT } from "./kit/namespaces.ts";
import { Ports } from "./kit/ports.ts";
import type { Site } from "./kit/site.ts";

let lab: Lab;
let home: Site;
let host: Ports;
let services: Ports;

before(async () => {
  lab = await Lab.open({ latency: 25, hops: 8 });
  home = lab.site("easy-port");
  host = new Ports(home.host);
  services = new Ports(lab.services);
});
after(() => lab.close());

function namespaces(): string {
  return spawnSync("ip", ["netns", "list"], { encoding: "utf8", env: ENVIRONMENT }).stdout;
}

test("a round trip takes twice the latency", async () => {
  const server = await services.udp();
  const client = await host.udp();
  await client.send("first", server.local); // Neighbours are found, programs are warm.
  await server.send("second", (await server.next()).from);
  await client.next();
  const began = performance.now();
  await client.send("there", server.local);
  await server.send("back", (await server.next()).from);
  await client.next();
  const took = performance.now() - began;
  assert.ok(took >= 50, `${took} ms are less than light needs`);
});

test("a packet passes the router of its site and the eight of the core", async () => {
  const server = await services.udp();
  const client = await host.udp();
  await client.send("dies at the last router", server.local, 9);
  await client.send("arrives", server.local, 10);
  assert.equal((await server.next()).text, "arrives");
});

test("an address of no site is unreachable: there is no way out of the lab", async () => {
  assert.equal(await host.askTcp({ address: "5.0.250.2", port: 443 }), "ENETUNREACH");
});

test("what a killed program left behind is gone when the next lab opens", async () => {
  const lines = `
    import { Lab } from "${fileURLToPath(new URL("./kit/lab.ts", import.meta.url))}";
    await Lab.open();
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, [...NODE_FLAGS, "--input-type=module", "-e", lines]);
  await once(child, "exit");
  assert.match(namespaces(), new RegExp(`^1tp-${child.pid}-`, "m"), "it was killed before it could clean up");
  const other = await Lab.open();
  assert.doesNotMatch(namespaces(), new RegExp(`^1tp-${child.pid}-`, "m"));
  assert.match(namespaces(), new RegExp(`^1tp-${process.pid}-`, "m"), "labs that live stay");
  await other.close();
});
