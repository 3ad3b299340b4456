/** Peers that have a dialog, and do not play by the rules; and strangers that listen where a peer was expected. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/contract/endpoint.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { TcpInternet, type TcpNat } from "./tcp-internet.ts";
import { meet, TcpSide } from "./tcp-side.ts";

const HOME: TcpNat = { ports: "kept", unsolicited: "dropped" };
const IDENTITY = { user: "attacker", password: "0123456789abcdefghijklmn" };
const VICTIM = "5.0.0.9";

/** A side that listens to an attacker: what it says, and when. */
class Attacked {
  readonly internet: TcpInternet;
  readonly side: TcpSide;
  readonly answers: { readonly at: number; readonly body: JsonObject }[] = [];

  constructor(seed: number, nat: TcpNat | undefined = HOME) {
    this.internet = new TcpInternet(seed);
    this.side = new TcpSide(this.internet.host("5.0.0.1", nat), false, { attested: "5.0.0.66" });
    this.side.onSignal = (body) => this.answers.push({ at: this.internet.clock.now(), body });
  }

  /** The signals, its own gathering, and what comes of it. */
  suffer(...signals: readonly JsonObject[]): this {
    for (const body of signals) this.side.hear(body);
    this.side.gathered();
    this.internet.clock.advance(30_000);
    return this;
  }
}

const candidates = (kind: string, address: string, ports: readonly number[]): JsonObject[] =>
  ports.map((port) => ({ kind, address, port }));

const all = (...listed: readonly JsonObject[][]): JsonObject => ({
  ...IDENTITY,
  candidates: listed.flat(),
  complete: true,
  ask: true,
  go: true,
});

describe("a peer that names others", () => {
  for (const unsolicited of ["dropped", "refused"] as const) {
    test(`gets them eight SYNs at most, whatever is ${unsolicited}`, () =>
      forEachSeed(10, (seed) => {
        const attacked = new Attacked(seed);
        attacked.internet.host(VICTIM, { ports: "kept", unsolicited });
        const ports = [22, 80, 443, 1000, 2000, 3000];
        attacked.suffer(all(candidates("reflexive", VICTIM, ports), candidates("listening", VICTIM, ports)));
        assert.equal(attacked.internet.syns.get(VICTIM), 8);
        assert.deepEqual(attacked.side.outcome?.chosen, undefined);
      }));
  }

  test("gets no ports guessed there, whatever it says of its NAT", () =>
    forEachSeed(5, (seed) => {
      const nat = { mapping: "dependent", ports: 1 };
      const named = all(candidates("reflexive", VICTIM, [1000]));
      const attacked = new Attacked(seed).suffer({ ...named, nat });
      assert.equal(attacked.internet.syns.get(VICTIM), undefined);
      const own = all(candidates("reflexive", "5.0.0.66", [1000]));
      const other = new Attacked(seed).suffer({ ...own, nat });
      assert.ok(other.internet.syns.get("5.0.0.66")! <= 3 * 24);
    }));

  test("gets nothing to loopback, multicast, or where we are ourselves", () =>
    forEachSeed(5, (seed) => {
      const attacked = new Attacked(seed);
      const own = candidates("listening", attacked.side.host.inner, [attacked.side.listening]);
      const forbidden = ["127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"];
      attacked.suffer(all(own, ...forbidden.map((address) => candidates("host", address, [80]))));
      assert.deepEqual([...attacked.internet.syns.keys()], []);
    }));

  test("learns nothing of them: what we say and when does not depend on who answers", () =>
    forEachSeed(10, (seed) => {
      const stories = (["silent", "refuses", "listens"] as const).map((kind) => {
        const attacked = new Attacked(seed);
        const inside = attacked.internet.host("5.0.0.1", HOME, "192.168.1.7");
        if (kind === "listens") inside.listen(80, () => ({ onOpen() {}, onData() {}, onClosed() {} }));
        const address = kind === "silent" ? "192.168.1.8" : "192.168.1.7";
        attacked.suffer(all(candidates("listening", address, [80])));
        // Passwords are random.
        return attacked.answers.map(({ at, body }) => [at, Object.keys(body)]);
      });
      assert.deepEqual(stories[0], stories[1]);
      assert.deepEqual(stories[0], stories[2]);
      assert.ok(stories[0]!.some(([, words]) => (words as string[]).includes("spent")));
    }));
});

describe("a stranger that listens where the peer was expected", () => {
  for (const [what, reply] of [
    ["echoes", (data: Uint8Array) => data],
    ["speaks something else", () => new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["says nothing", () => undefined],
  ] as const) {
    test(`and ${what} is not taken for it, and the peer is met all the same`, () =>
      forEachSeed(10, (seed) => {
        const internet = new TcpInternet(seed);
        const opener = new TcpSide(internet.host("5.0.0.1", HOME), true);
        const acceptor = new TcpSide(internet.host("5.0.0.2", HOME), false);
        // On the opener's LAN, at the address that the acceptor has on its own.
        const stranger = internet.host("5.0.0.1", HOME, "192.168.1.3");
        acceptor.punch.addCandidate({ kind: "listening", address: stranger.inner, port: 80 });
        stranger.listen(80, (socket) => ({
          onOpen() {},
          onData: (data) => {
            const answer = reply(data);
            if (answer) socket.write(answer);
          },
          onClosed() {},
        }));
        meet(opener, acceptor);
        assert.equal(opener.outcome?.chosen?.address, "5.0.0.2", opener.punch.describe());
        assert.equal(acceptor.outcome?.chosen?.address, "5.0.0.1");
        assert.equal(stranger.connections, 0);
      }));
  }

  test("and strangers that connect to where we listen are let go, and are few at a time", () =>
    forEachSeed(5, (seed) => {
      const internet = new TcpInternet(seed);
      const server = new TcpSide(internet.host("5.0.0.1"), false);
      const stranger = internet.host("5.0.0.3");
      let closed = 0;
      for (let port = 1000; port < 1040; port++) {
        const sink = { onOpen() {}, onData() {}, onClosed: () => void closed++ };
        stranger.connect(port, { address: "5.0.0.1", port: server.listening }, sink);
      }
      internet.clock.advance(1000);
      assert.deepEqual([closed, stranger.connections], [24, 16]);
      internet.clock.advance(5000);
      assert.deepEqual([closed, stranger.connections, server.host.connections], [40, 0, 0]);
    }));
});
