import assert from "node:assert/strict";
import { test } from "node:test";
import { crypto } from "#platform";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import type { Environment } from "../../../signaling/websocket/connection.ts";
import { RegistrarLink } from "../../../signaling/websocket/link.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { RegistrarHost } from "./registrar-host.ts";

const URLS = ["ws://one.test", "ws://two.test"];

/** Two registrars that share a directory, and whoever comes to them. */
class Cluster {
  readonly clock = new VirtualClock();
  readonly hosts: readonly RegistrarHost[];
  readonly #links: RegistrarLink[] = [];

  constructor() {
    const directory = new MemoryDirectory();
    this.hosts = URLS.map((url, i) => new RegistrarHost(this.clock, i + 1, {}, { url, directory }));
  }

  link(urls = URLS): RegistrarLink {
    const environment: Environment = {
      ...this.hosts[0]!.environment(),
      open: (url, sink) => this.hosts[URLS.indexOf(url)]!.open(sink),
    };
    const link = new RegistrarLink(urls, undefined, environment);
    this.#links.push(link);
    return link;
  }

  /** Registers, with all URLs. */
  async serve(link = this.link()) {
    const accepted: Dialog[] = [];
    const keyPair = crypto.keyPair(this.hosts[0]!.random.fill(new Uint8Array(32)));
    const salt = new Uint8Array(16);
    const uid = deriveUid(crypto, keyPair.publicKey, salt);
    const url = await link.enrol({
      uid,
      keyPair,
      salt,
      transportType: "test",
      referenced: true,
      onDialog: (dialog) => accepted.push(dialog),
      onLost: (error) => assert.fail(error),
    });
    return { uid, url, accepted };
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.clock.setTimer(this.clock.now() + ms, resolve));
  }

  registrations(): number[] {
    return this.hosts.map((host) => host.registrar.gauges().registrations);
  }

  /** Runs in virtual time and checks that closing leaves nothing. */
  async play(body: () => Promise<void>): Promise<void> {
    await this.clock.run(async () => {
      await body();
      await Promise.all(this.#links.map((link) => link.close()));
    });
    for (const host of this.hosts) {
      assert.equal(host.connections, 0);
      host.kill();
    }
    await this.clock.advanceAsync(1_000);
    assert.equal(this.clock.armed, 0, "a timer is left");
  }
}

function check(fact: string, body: (cluster: Cluster) => Promise<void>): void {
  test(fact, () => {
    const cluster = new Cluster();
    return cluster.play(() => body(cluster));
  });
}

check("the first URL is used while it answers, and told", async (cluster) => {
  const { url } = await cluster.serve();
  assert.equal(url, URLS[0]);
  assert.deepEqual(cluster.registrations(), [1, 0]);
});

for (const fault of ["down", "silent"]) {
  check(`a registrar that is ${fault} is passed over at once, and the other URL told`, async (cluster) => {
    const [first] = cluster.hosts;
    if (fault === "down") first!.kill();
    else first!.silent = true;
    const { uid, url } = await cluster.serve();
    assert.equal(url, URLS[1]);
    await cluster.link([URLS[1]!]).open(uid, "test");
    if (fault === "down") first!.start();
  });
}

check("without any registrar whoever asks is told after all were tried, once each", async (cluster) => {
  for (const host of cluster.hosts) host.kill();
  await assert.rejects(cluster.link().open("0".repeat(32), "test"), { code: "ECONNREFUSED" });
  assert.deepEqual(
    cluster.hosts.map(({ dials }) => dials.length),
    [1, 1],
  );
  for (const host of cluster.hosts) host.start();
});

check("a registrar that dies is replaced by the other, under the same uid", async (cluster) => {
  const server = await cluster.serve();
  cluster.hosts[0]!.kill();
  await cluster.sleep(1_500);
  const near = await cluster.link([URLS[1]!]).open(server.uid, "test");
  await near.send("found");
  assert.deepEqual(await new DialogProbe(server.accepted[0]!).received(1), ["found"]);
  cluster.hosts[0]!.start();
});

check("a draining registrar keeps its dialogs while the other has the registration", async (cluster) => {
  const server = await cluster.serve();
  const near = new DialogProbe(await cluster.link().open(server.uid, "test"));
  const far = new DialogProbe(server.accepted[0]!);
  cluster.hosts[0]!.drain();
  await cluster.sleep(1_500);
  assert.deepEqual(cluster.registrations(), [0, 1]);
  await cluster.link([URLS[1]!]).open(server.uid, "test");
  await near.dialog.send("still here");
  assert.deepEqual(await far.received(1), ["still here"]);
  near.dialog.close();
  await far.closed();
  await cluster.sleep(100);
  assert.equal(cluster.hosts[0]!.connections, 0);
});
