import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalDialog } from "../../../../signaling/local/dialog.ts";
import { codeOf, OnetpError } from "../../../../src/base/errors.ts";
import type { Json } from "../../../../src/contract/endpoint.ts";
import { type NegotiationParts, negotiate } from "../../../../transports/webrtc/negotiation.ts";
import { DialogProbe } from "../../../conformance/dialog-probe.ts";
import { VirtualClock } from "../../../kit/virtual-clock.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

const OFFER = { type: "offer", sdp: "v=0\r\na=max-message-size:1000\r\n" };
const ANSWER = { type: "answer", sdp: "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" };
const CANDIDATE = {
  type: "candidate",
  candidate: { candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ srflx", sdpMid: "0", sdpMLineIndex: 0 },
};

/** A negotiation with a scripted peer on our side and a probe on the other. */
async function stage(parts: Partial<NegotiationParts> = {}) {
  const [near, far] = LocalDialog.pair();
  const peer = new ScriptedPeer();
  const clock = new VirtualClock();
  const controller = new AbortController();
  const phases: string[] = [];
  const outcome = negotiate({
    peer,
    dialog: near,
    initiator: true,
    clock,
    signal: controller.signal,
    onPhase: (phase) => phases.push(phase),
    ...parts,
  });
  outcome.catch(() => undefined);
  return { peer, clock, controller, phases, outcome, other: new DialogProbe(far) };
}

/** Lets signals go through. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
}

function failsWith(outcome: Promise<unknown>, detail: RegExp, phase: string): Promise<void> {
  return assert.rejects(outcome, (error) => {
    assert.ok(error instanceof OnetpError);
    assert.deepEqual([error.code, error.phase, error.transport], ["ERR_1TP_WEBRTC_FAILED", phase, "webrtc"]);
    assert.match(error.message, detail);
    return true;
  });
}

describe("a negotiation", () => {
  test("passes on what a peer signals, but for what a data channel does not need", async () => {
    const { peer, other, phases } = await stage();
    peer.emit("signal", OFFER);
    peer.emit("signal", CANDIDATE);
    peer.emit("signal", { ...CANDIDATE, candidate: { ...CANDIDATE.candidate, candidate: "" } });
    peer.emit("signal", { type: "renegotiate", renegotiate: true });
    peer.emit("signal", { type: "transceiverRequest", transceiverRequest: {} });
    await turns();
    assert.deepEqual(other.signals, [OFFER, CANDIDATE]);
    await other.dialog.send(CANDIDATE);
    await other.dialog.send({ ...ANSWER, extra: true });
    await turns();
    assert.deepEqual(peer.signals, [CANDIDATE, ANSWER]);
    assert.deepEqual(phases, ["gather", "connect"]);
  });

  test("takes one description, of the right kind, and a bounded number of candidates", async () => {
    const { peer, other } = await stage();
    for (const signal of [OFFER, ANSWER, ANSWER, OFFER]) await other.dialog.send(signal);
    for (let i = 0; i < 20; i++) {
      for (let j = 0; j < 50; j++) await other.dialog.send(CANDIDATE);
      await turns();
    }
    assert.deepEqual(peer.signals[0], ANSWER);
    assert.equal(peer.signals.filter(({ type }) => type !== "candidate").length, 1);
    // The answer has one.
    assert.equal(peer.signals.length, 128);
  });

  test("counts the candidates of a description too", async () => {
    const { peer, other } = await stage();
    const line = CANDIDATE.candidate.candidate;
    await other.dialog.send({ type: "answer", sdp: `v=0\r\n${`a=${line}\r\n`.repeat(200)}` });
    await other.dialog.send(CANDIDATE);
    await turns();
    assert.equal(peer.signals.length, 1);
    assert.equal(peer.signals[0]!.sdp!.split(line).length - 1, 128);
  });

  test("keeps from ICE what may not be dialled, however it is written", async () => {
    const { peer, other } = await stage({ mayDial: (host) => host === "192.0.2.1" });
    const at = (host: string, gap = " ") => `candidate:1 1 udp 1${gap}${host} 9 typ host`;
    const good = `a=${at("192.0.2.1")}`;
    const bad = [at("10.0.0.1"), at("10.0.0.1", "  "), at("192.0.2.1 10.0.0.1"), at("x.local")];
    const sdp = [
      "v=0",
      good,
      ...bad.map((line) => `a=${line}`),
      `a=x\ra=${at("10.0.0.2")}`,
      `A=${at("10.0.0.3")}`,
    ];
    await other.dialog.send({ type: "answer", sdp: `${sdp.join("\r\n")}\n${good}\n` });
    for (const candidate of ["192.0.2.1", "10.0.0.1", "10.0.0.1 192.0.2.1"].map((host) => at(host)))
      await other.dialog.send({ type: "candidate", candidate: { ...CANDIDATE.candidate, candidate } });
    await turns();
    assert.deepEqual(
      peer.signals.map(({ sdp, candidate }) => sdp ?? candidate?.candidate),
      [["v=0", good, "a=x", good, ""].join("\r\n"), at("192.0.2.1")],
    );
  });

  test("reads whatever a stranger sends without a throw", async () => {
    const { peer, other, outcome } = await stage();
    peer.complaint = new TypeError("no such candidate");
    const noise = fc.sample(fc.jsonValue(), 400) as Json[];
    const near = fc.sample(
      fc.record({ type: fc.constantFrom("candidate", "renegotiate", "offer"), candidate: fc.jsonValue() }),
      400,
    ) as Json[];
    for (const [i, body] of [...noise, ...near].entries()) {
      await other.dialog.send(body);
      if (i % 50 === 0) await turns();
    }
    await other.dialog.send(CANDIDATE);
    await turns();
    assert.equal(peer.destroyed, false);
    peer.destroy();
    await failsWith(outcome, /closed/, "gather");
  });

  test("waits for the greeting before it gives the dialler a channel, and tells which way it goes", async () => {
    const { peer, other, outcome } = await stage();
    await other.dialog.send(ANSWER);
    await turns();
    peer.stats = [
      { type: "transport", id: "t", selectedCandidatePairId: "p" },
      { type: "candidate-pair", id: "p", localCandidateId: "l", remoteCandidateId: "r" },
      { type: "local-candidate", id: "l", candidateType: "relay", address: "192.0.2.1", port: 7 },
      { type: "remote-candidate", id: "r", candidateType: "srflx", ip: "192.0.2.2", port: 8 },
    ];
    peer.emit("connect");
    await turns();
    assert.deepEqual(other.closes, []);
    peer.emit("data", "ready");
    const channel = await outcome;
    assert.deepEqual(channel.path, {
      relayed: true,
      local: { type: "relay", address: "192.0.2.1", port: 7 },
      remote: { type: "srflx", address: "192.0.2.2", port: 8 },
    });
    await turns();
    assert.equal(other.closes.length, 1);
  });

  test("greets where it accepts, sends messages no longer than the offer allows, and names the peer", async () => {
    const { peer, other, outcome } = await stage({ initiator: false });
    await other.dialog.send(OFFER);
    await turns();
    Object.assign(peer, { remoteAddress: "192.0.2.9", remotePort: 99 });
    peer.emit("connect");
    const channel = await outcome;
    channel.write(new Uint8Array(2500));
    assert.deepEqual(
      peer.sent.map((message) => (typeof message === "string" ? message : message.length)),
      ["ready", 1000, 1000, 500],
    );
    assert.deepEqual(channel.remote.transportInfo, { address: "192.0.2.9", port: 99 });
  });

  test("connects though the implementation does not tell which way it goes", async () => {
    const { peer, other, outcome } = await stage();
    peer.getStats = () => {
      throw new TypeError("no statistics here");
    };
    await other.dialog.send(ANSWER);
    await turns();
    peer.emit("connect");
    peer.emit("data", "ready");
    assert.equal((await outcome).path, undefined);
  });

  test("says what was tried when ICE fails, to both ends", async () => {
    const { peer, other, outcome } = await stage();
    peer.emit("signal", OFFER);
    peer.emit("signal", CANDIDATE);
    await other.dialog.send(ANSWER);
    await turns();
    peer.destroy(Object.assign(new Error("Ice connection failed."), { code: "ERR_ICE_CONNECTION_FAILURE" }));
    await failsWith(outcome, /no pair of candidates works \(ours: srflx; theirs: host\)/, "connect");
    await turns();
    assert.match(JSON.stringify(other.signals.at(-1)), /"failed".*no pair of candidates/);
    assert.equal(other.closes.length, 1);
  });

  test("fails with the peer's own reason, whatever is in it", async () => {
    const { peer, other, outcome } = await stage();
    await other.dialog.send({ type: "failed", reason: "ICE\u001b[31m\nfailed" });
    await failsWith(outcome, /the peer says: ICE\?\[31m\?failed$/, "gather");
    assert.equal(peer.destroyed, true);
  });

  test("fails when the dialog ends before there is an answer, and goes on when it ends afterwards", async () => {
    const early = await stage();
    early.other.dialog.close();
    await failsWith(early.outcome, /the dialog ended/, "gather");
    const late = await stage();
    await late.other.dialog.send(ANSWER);
    late.other.dialog.close();
    await turns();
    late.peer.emit("connect");
    late.peer.emit("data", "ready");
    await late.outcome;
  });

  test("fails when a description cannot be read or sent", async () => {
    const unreadable = await stage();
    unreadable.peer.complaint = new Error("bad SDP");
    await unreadable.other.dialog.send(ANSWER);
    await failsWith(unreadable.outcome, /description cannot be read/, "connect");
    const large = await stage();
    large.peer.emit("signal", { type: "offer", sdp: "x".repeat(20_000) });
    await failsWith(large.outcome, /could not be sent/, "gather");
  });

  test("leaves nothing when it is aborted, before it begins or while it goes on", async () => {
    const reason = new Error("lost the race");
    const begun = await stage();
    begun.controller.abort(reason);
    await assert.rejects(begun.outcome, reason);
    await turns();
    assert.deepEqual(begun.other.signals, [{ type: "failed", reason: "lost the race" }]);
    assert.deepEqual([begun.peer.destroyed, begun.other.closes.length], [true, 1]);
    const never = await stage({ signal: AbortSignal.abort(reason) });
    await assert.rejects(never.outcome, reason);
    assert.equal(never.peer.destroyed, true);
  });

  test("that is aborted after the answer leaves the close to the end that may be greeting, for 5 s", async () => {
    const reason = new Error("lost the race");
    const answered = async () => {
      const scene = await stage();
      await scene.other.dialog.send(ANSWER);
      await turns();
      scene.controller.abort(reason);
      await assert.rejects(scene.outcome, reason);
      return scene;
    };
    const silent = await answered();
    await silent.clock.advanceAsync(4_999);
    assert.equal(silent.peer.destroyed, false);
    await silent.clock.advanceAsync(1);
    assert.equal(silent.peer.destroyed, true);

    const greeted = await answered();
    greeted.peer.emit("connect");
    assert.deepEqual(greeted.peer.sent, []);
    greeted.peer.emit("data", "ready");
    assert.deepEqual([greeted.peer.sent, greeted.peer.destroyed], [["reset"], false]);
    greeted.peer.destroy();
    await turns();
    assert.equal(greeted.clock.armed, 0);
  });
});

describe("a connected peer", () => {
  async function connected() {
    const scene = await stage({ initiator: false });
    await scene.other.dialog.send(OFFER);
    await turns();
    scene.peer.emit("connect");
    const channel = await scene.outcome;
    const closes: (Error | undefined)[] = [];
    channel.attach({ onData() {}, onDrain() {}, onEnd() {}, onClose: (error) => closes.push(error) });
    return { ...scene, channel, closes };
  }

  test("is taken down by the word of the other end, or else when nothing moves for 5 s", async () => {
    const heard = await connected();
    heard.channel.end();
    heard.peer.emit("data", "end");
    await turns();
    assert.deepEqual(heard.peer.sent, ["ready", "end", "bye"]);
    assert.equal(heard.peer.destroyed, false);
    heard.peer.emit("data", "bye");
    assert.equal(heard.peer.destroyed, true);
    assert.deepEqual(heard.closes, [undefined]);

    const slow = await connected();
    slow.peer.bufferSize = 3000;
    slow.channel.abort();
    for (slow.peer.bufferSize = 2000; slow.peer.bufferSize > 0; slow.peer.bufferSize -= 1000) {
      await slow.clock.advanceAsync(5_000);
      assert.equal(slow.peer.destroyed, false);
    }
    await slow.clock.advanceAsync(5_000);
    assert.equal(slow.peer.destroyed, false);
    await slow.clock.advanceAsync(5_000);
    assert.equal(slow.peer.destroyed, true);
  });

  test("that hears the last word while much of its own waits tells so at once, and closes when that is sent", async () => {
    for (const [word, code] of [
      ["bye", "ECONNRESET"],
      ["reset", "ECONNRESET"],
    ] as const) {
      const { clock, peer, channel, closes } = await connected();
      channel.write(new Uint8Array(1000));
      peer.bufferSize = 2000;
      peer.emit("data", word);
      await turns();
      assert.deepEqual([closes.map(codeOf), peer.destroyed], [[code], false]);
      await clock.advanceAsync(100);
      assert.equal(peer.destroyed, false);
      peer.bufferSize = 0;
      await clock.advanceAsync(20);
      assert.equal(peer.destroyed, true);
      await turns();
      assert.deepEqual([closes.length, clock.armed], [1, 0]);
    }
    const stuck = await connected();
    stuck.peer.bufferSize = 2000;
    stuck.peer.emit("data", "bye");
    await stuck.clock.advanceAsync(4_980);
    assert.equal(stuck.peer.destroyed, false);
    await stuck.clock.advanceAsync(20);
    assert.equal(stuck.peer.destroyed, true);
  });

  test("is not closed under the other end by an abort: it says so, sends no more, and waits 5 s at most", async () => {
    const aborting = await connected();
    aborting.channel.abort(new Error("enough"));
    aborting.peer.emit("data", new Uint8Array(200_000));
    await turns();
    assert.deepEqual(aborting.peer.sent, ["ready", "reset"]);
    assert.equal(aborting.closes[0]?.message, "enough");
    assert.equal(aborting.peer.destroyed, false);
    await aborting.clock.advanceAsync(5_000);
    assert.equal(aborting.peer.destroyed, true);

    const hearing = await connected();
    hearing.peer.emit("data", "reset");
    assert.equal(hearing.peer.destroyed, true);
    await turns();
    assert.equal((hearing.closes[0] as NodeJS.ErrnoException).code, "ECONNRESET");
    hearing.channel.abort(new Error("too late"));
    assert.equal(hearing.clock.armed, 0);
  });

  test("that falls silent is a time-out, and one that leaves without a word a reset", async () => {
    const silent = await connected();
    silent.peer.destroy(
      Object.assign(new Error("Ice connection failed."), { code: "ERR_ICE_CONNECTION_FAILURE" }),
    );
    const gone = await connected();
    gone.peer.destroy(Object.assign(new Error("Close called"), { code: "ERR_DATA_CHANNEL" }));
    await turns();
    const codes = [silent, gone].map(({ closes }) => (closes[0] as NodeJS.ErrnoException).code);
    assert.deepEqual(codes, ["ETIMEDOUT", "ECONNRESET"]);
  });
});
