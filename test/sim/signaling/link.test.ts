import assert from "node:assert/strict";
import { test } from "node:test";
import { crypto } from "#platform";
import { type Enrolment, RegistrarLink } from "../../../signaling/websocket/link.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { LATENCY, RegistrarHost, URL_HERE } from "./registrar-host.ts";

const NOBODY = "0123456789abcdef0123456789abcdef";

interface Server {
  readonly link: RegistrarLink;
  readonly enrolment: Enrolment;
  readonly uid: string;
  readonly accepted: Dialog[];
  readonly lost: Error[];
}

function linkTo(host: RegistrarHost): RegistrarLink {
  return new RegistrarLink([URL_HERE], undefined, host.environment());
}

async function serve(host: RegistrarHost, link = linkTo(host)): Promise<Server> {
  const accepted: Dialog[] = [];
  const lost: Error[] = [];
  const keyPair = crypto.keyPair(host.random.fill(new Uint8Array(32)));
  const salt = host.random.fill(new Uint8Array(16));
  const uid = deriveUid(crypto, keyPair.publicKey, salt);
  const enrolment: Enrolment = {
    uid,
    keyPair,
    salt,
    transportType: "test",
    referenced: true,
    onDialog: (dialog) => accepted.push(dialog),
    onLost: (error) => lost.push(error),
  };
  await link.enrol(enrolment);
  return { link, enrolment, uid, accepted, lost };
}

async function codeOfRejection(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

/** Runs in virtual time and checks that closing leaves no timer and no connection. */
async function play(
  body: (
    host: RegistrarHost,
    clock: VirtualClock,
    own: (link: RegistrarLink) => RegistrarLink,
  ) => Promise<void>,
  host?: (clock: VirtualClock) => RegistrarHost,
): Promise<void> {
  const clock = new VirtualClock();
  const ground = host?.(clock) ?? new RegistrarHost(clock);
  const links: RegistrarLink[] = [];
  await clock.run(async () => {
    await body(ground, clock, (link) => {
      links.push(link);
      return link;
    });
    await Promise.all(links.map((link) => link.close()));
  });
  assert.equal(ground.connections, 0);
  ground.kill();
  // Frames that are under way to nobody.
  await clock.advanceAsync(2 * LATENCY);
  assert.equal(clock.armed, 0, "a timer is left");
}

function sleep(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(clock.now() + ms, resolve));
}

test("many registrations and dialogs share one connection", () =>
  play(async (host, _clock, own) => {
    const link = own(linkTo(host));
    const servers = await Promise.all(Array.from({ length: 10 }, () => serve(host, link)));
    await Promise.all(servers.map(({ uid }) => link.open(uid, "test")));
    assert.equal(host.dials.length, 1);
    assert.deepEqual(host.registrar.gauges(), { connections: 1, registrations: 10, dialogs: 20 });
  }));

test("opening takes two round trips at first, one afterwards", () =>
  play(async (host, clock, own) => {
    const server = await serve(host, own(linkTo(host)));
    const link = own(linkTo(host));
    const start = clock.now();
    await link.open(server.uid, "test");
    assert.equal(clock.now() - start, 5 * LATENCY);
    await link.open(server.uid, "test");
    assert.equal(clock.now() - start, 7 * LATENCY);
  }));

test("without a registrar, registering and opening are refused at once and nothing is tried again", () =>
  play(async (host, clock, own) => {
    host.kill();
    assert.equal(await codeOfRejection(serve(host, own(linkTo(host)))), "ECONNREFUSED");
    assert.equal(await codeOfRejection(own(linkTo(host)).open(NOBODY, "test")), "ECONNREFUSED");
    await sleep(clock, 600_000);
    assert.equal(host.dials.length, 2);
  }));

test("a URL that the platform does not open fails whoever waits with a code, and the next one is tried", () =>
  play(async (host, clock, own) => {
    const environment = host.environment();
    const open: typeof environment.open = (url, sink) => {
      if (url !== URL_HERE) throw new SyntaxError("no such URL");
      return environment.open(url, sink);
    };
    const bad = "ws://bad.test";
    const alone = own(new RegistrarLink([bad], undefined, { ...environment, open }));
    assert.equal(await codeOfRejection(alone.open(NOBODY, "test")), "ERR_1TP_BAD_ADDRESS");
    assert.equal(await codeOfRejection(serve(host, alone)), "ERR_1TP_BAD_ADDRESS");
    assert.equal(clock.armed, 0);
    assert.ok(alone.unused);
    const several = own(new RegistrarLink([bad, URL_HERE], undefined, { ...environment, open }));
    const { uid } = await serve(host, several);
    await own(linkTo(host)).open(uid, "test");
  }));

test("a registrar that says nothing fails whoever waits after 5 s", () =>
  play(async (host, clock, own) => {
    const link = own(linkTo(host));
    const server = await serve(host, own(linkTo(host)));
    host.silent = true;
    const start = clock.now();
    assert.equal(await codeOfRejection(link.open(NOBODY, "test")), "ETIMEDOUT");
    assert.equal(clock.now() - start, 5_000);
    assert.equal(await codeOfRejection(server.link.open(NOBODY, "test")), "ETIMEDOUT");
    assert.equal(clock.now() - start, 10_000);
  }));

test("an abort while connecting rejects with its reason at once", () =>
  play(async (host, clock, own) => {
    host.silent = true;
    const controller = new AbortController();
    const opening = own(linkTo(host)).open(NOBODY, "test", controller.signal);
    const start = clock.now();
    controller.abort(new Error("enough"));
    await assert.rejects(opening, /enough/);
    assert.equal(clock.now(), start);
    await sleep(clock, 20_000);
    assert.equal(host.connections, 0);
  }));

test("a link nobody needs lets its connection go after 5 s", () =>
  play(async (host, clock, own) => {
    const server = await serve(host, own(linkTo(host)));
    const link = own(linkTo(host));
    const dialog = await link.open(server.uid, "test");
    dialog.close();
    await sleep(clock, 4_900);
    assert.equal(host.connections, 2);
    await sleep(clock, 200);
    assert.equal(host.connections, 1);
    server.link.withdraw(server.enrolment);
    await sleep(clock, 6_000);
    assert.equal(host.connections, 0);
    await sleep(clock, 600_000);
    assert.equal(host.dials.length, 2);
  }));

test("half an hour of silence keeps the connection, a dead network is noticed within 35 s", () =>
  play(async (host, clock, own) => {
    const { link, uid } = await serve(host, own(linkTo(host)));
    await sleep(clock, 1_800_000);
    assert.equal(host.dials.length, 1);
    const near = new DialogProbe(await own(linkTo(host)).open(uid, "test"));
    host.silent = true;
    const start = clock.now();
    assert.equal(codeOf(await near.closed()), "ETIMEDOUT");
    assert.ok(clock.now() - start <= 35_000 + LATENCY);
    host.silent = false;
    await sleep(clock, 120_000);
    await link.open(uid, "test");
  }));

test("a killed registrar fails what is under way with a code, and a restarted one has everybody again", () =>
  forEachSeed(5, (seed) =>
    play(
      async (host, clock, own) => {
        const servers = await Promise.all(Array.from({ length: 20 }, () => serve(host, own(linkTo(host)))));
        const client = own(linkTo(host));
        const probes = await Promise.all(
          servers.map(async ({ uid }) => new DialogProbe(await client.open(uid, "test"))),
        );
        const opening = codeOfRejection(client.open(servers[0]!.uid, "test"));
        host.kill();
        assert.equal(await opening, "ECONNRESET");
        for (const probe of probes) assert.equal(codeOf(await probe.closed()), "ECONNRESET");
        await sleep(clock, 30_000);
        const dials = host.dials.length;
        assert.ok(dials < 20 * 12, `${dials} dials in 30 s`);
        host.start();
        await sleep(clock, 61_000);
        assert.equal(host.registrar.gauges().registrations, 20);
        for (const { uid, lost, accepted } of servers) {
          const near = await client.open(uid, "test");
          await near.send("again");
          assert.deepEqual(await new DialogProbe(accepted.at(-1)!).received(1), ["again"]);
          assert.deepEqual(lost, []);
        }
      },
      (clock) => new RegistrarHost(clock, seed),
    ),
  ));

test("clients that lost a registrar together do not come back together", () =>
  play(async (host, clock, own) => {
    await Promise.all(Array.from({ length: 50 }, () => serve(host, own(linkTo(host)))));
    host.kill();
    const start = clock.now();
    await sleep(clock, 1_100);
    const waits = host.dials.filter((at) => at > start).map((at) => Math.floor((at - start) / 100));
    assert.ok(new Set(waits).size >= 8, `dials per 100 ms: ${waits}`);
  }));

test("a draining registrar is left when the last dialog has ended, and asked again", () =>
  play(async (host, clock, own) => {
    const idle = await serve(host, own(linkTo(host)));
    const server = await serve(host, own(linkTo(host)));
    const near = new DialogProbe(await own(linkTo(host)).open(server.uid, "test"));
    host.drain();
    await near.dialog.send("still here");
    const far = new DialogProbe(server.accepted[0]!);
    assert.deepEqual(await far.received(1), ["still here"]);
    near.dialog.close();
    await far.closed();
    host.kill();
    host.start();
    await sleep(clock, 61_000);
    assert.equal(host.registrar.gauges().registrations, 2);
    await own(linkTo(host)).open(idle.uid, "test");
  }));

test("a uid that another connection has registered anew is lost, and not fought for", () =>
  play(async (host, clock, own) => {
    const server = await serve(host, own(linkTo(host)));
    const other = own(linkTo(host));
    await other.enrol({ ...server.enrolment, onLost: () => assert.fail("the newer one stays") });
    await sleep(clock, 60_000);
    assert.equal(codeOf(server.lost[0]), "ERR_1TP_SIGNALING_REFUSED");
    assert.equal(server.lost.length, 1);
    assert.equal(host.dials.length, 2);
  }));

test("a registrar that refuses a registration says why", () =>
  play(
    async (host, _clock, own) => {
      const link = own(linkTo(host));
      await serve(host, link);
      await assert.rejects(serve(host, link), /at most 1 registrations per connection/);
      const stranger = own(new RegistrarLink(["ws://other.test"], undefined, host.environment()));
      await assert.rejects(serve(host, stranger), /does not go by ws:\/\/other\.test/);
    },
    (clock) => new RegistrarHost(clock, 1, { registrations: 1 }),
  ));
