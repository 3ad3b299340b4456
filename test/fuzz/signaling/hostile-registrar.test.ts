import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { crypto } from "#platform";
import { encodeRelayed } from "../../../signaling/registrar/relay-frame.ts";
import { RegistrarLink } from "../../../signaling/websocket/link.ts";
import { toBase64Url } from "../../../src/base/bytes.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import type { WebSocketSink } from "../../../src/contract/web-socket.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const KEY_PAIR = crypto.keyPair(new Uint8Array(32).fill(3));
const SALT = new Uint8Array(16);
const UID = deriveUid(crypto, KEY_PAIR.publicKey, SALT);
const EPHEMERAL = toBase64Url(crypto.keyPair(new Uint8Array(32).fill(4)).publicKey);
const LOW_ORDER = "A".repeat(43);

const anyNumber = fc.constantFrom(-3, -2, -1, 0, 1, 2, 3);
const anyCode = fc.constantFrom("offline", "too-fast", "lost", "unproved", "no such code");
const message = (type: string, fields: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constant(type), ...fields }).map((value) => JSON.stringify(value));

/** Frames in the registrar's words, in any order, with what they need to be believed. */
const anyFrame = fc.oneof(
  message("hello", {
    version: fc.constant(1),
    address: fc.constant("192.0.2.1"),
    relay: fc.constantFrom(true, false, undefined),
  }),
  message("relay", { dialog: anyNumber }),
  message("challenge", {
    request: anyNumber,
    ephemeral: fc.constantFrom(EPHEMERAL, EPHEMERAL, LOW_ORDER, ""),
  }),
  message("registered", { request: anyNumber, uid: fc.constant(UID) }),
  message("refused", { request: anyNumber, code: anyCode }),
  message("replaced", { uid: fc.constantFrom(UID, "0".repeat(32)) }),
  message("opened", { dialog: anyNumber }),
  message("incoming", {
    dialog: anyNumber,
    uid: fc.constantFrom(UID, "0".repeat(32)),
    address: fc.constantFrom("192.0.2.7", "::", "nowhere", 7),
  }),
  message("services", {
    request: anyNumber,
    stun: fc.constantFrom([], [{ port: 1 }], [{ host: "::1", port: 2 }], [null], 5),
    turn: fc.constantFrom([], [{ uris: ["turn:t"], username: "u", password: "p" }], [{}]),
  }),
  message("signal", { dialog: anyNumber }).map((head) => `${head}\n"body"`),
  message("signal", { dialog: anyNumber }).map((head) => `${head}\nno JSON`),
  message("close", { dialog: anyNumber, code: anyCode }),
  fc.constantFrom('{"type":"pong"}', '{"type":"draining"}', '{"type":"later"}', "", "\n", "[]"),
  fc.string(),
);

/** What is relayed: of a dialog or not, of a kind or not. */
const anyRelayed = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .tuple(
      anyNumber,
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom("bytes", "end", "grant 10", "lost", "x".repeat(20_000)),
    )
    .map(([dialog, kind, words]) => encodeRelayed(dialog, kind, words)),
);

const anyStep = fc.oneof(
  { arbitrary: anyRelayed, weight: 3 },
  { arbitrary: anyFrame, weight: 6 },
  {
    arbitrary: fc
      .constantFrom("open", "services", "enrol", "drop", "wait", ...Array(8).fill("comply"))
      .map((verb) => ({ verb })),
    weight: 12,
  },
);

/** What an honest registrar says to a frame of the client. */
function honestAnswer(frame = "{}"): string | undefined {
  const said = JSON.parse(frame.split("\n")[0]!);
  const answers: Record<string, object> = {
    hello: { version: 1, address: "192.0.2.1", relay: true },
    challenge: { type: "challenge", ephemeral: EPHEMERAL },
    register: { type: "registered", uid: UID },
    open: { type: "opened" },
  };
  const answer = answers[said.type];
  return answer && JSON.stringify({ ...said, ...answer });
}

test("a registrar that says anything meets no exception and leaves nothing behind", async () => {
  let dialogs = 0;
  let channels = 0;
  const property = fc.asyncProperty(
    fc.array(anyStep, { minLength: 20, maxLength: 60, size: "max" }),
    async (steps) => {
      const clock = new VirtualClock();
      let sink: WebSocketSink | undefined;
      const said: string[] = [];
      const open = new Set<WebSocketSink>();
      const end = (ended = sink): void => {
        if (ended && open.delete(ended)) ended.onClose({ status: 1006, reason: "" });
      };
      const tell = (frame: string | Uint8Array): void => {
        if (sink && open.has(sink)) sink.onMessage(frame);
      };
      const link = new RegistrarLink(["ws://hostile.test"], undefined, {
        clock,
        random: seededRandom(1),
        crypto,
        open(_url, opened) {
          sink = opened;
          open.add(opened);
          clock.setTimer(clock.now(), () => open.has(opened) && opened.onOpen?.());
          const ending = (): void => void clock.setTimer(clock.now(), () => end(opened));
          const send = (frame: string | Uint8Array): void => {
            if (typeof frame === "string") said.push(frame);
          };
          return { buffered: 0, send, close: ending, terminate: ending, ref() {}, unref() {} };
        },
      });
      const outcomes: Promise<unknown>[] = [];
      let ends = 0;
      let attached = 0;
      let relayed = 0;
      let channelEnds = 0;
      const attach = (dialog: Dialog): void => {
        attached++;
        const channel =
          attached % 2 ? dialog.relay?.({ transportType: "relay", transportInfo: {} }) : undefined;
        if (channel) {
          relayed++;
          channel.attach({
            onData() {},
            onDrain() {},
            onEnd: () => channel.end(),
            onClose: () => channelEnds++,
          });
          channel.write(Uint8Array.of(1, 2, 3));
        }
        dialog.attach({ onSignal: (body) => assert.equal(body, "body"), onClose: () => ends++ });
      };
      const settled = (promise: Promise<unknown>): void => {
        const checked = promise.catch((error: unknown) => assert.ok(codeOf(error), String(error)));
        outcomes.push(checked);
      };
      const act: Record<string, () => void> = {
        open: () => settled(link.open(UID, "test").then(attach)),
        services: () => settled(link.services()),
        enrol: () =>
          settled(
            link.enrol({
              uid: UID,
              keyPair: KEY_PAIR,
              salt: SALT,
              transportType: "test",
              referenced: true,
              onDialog: attach,
              onLost: (error) => assert.ok(codeOf(error)),
            }),
          ),
        drop: () => end(),
        comply: () => {
          const answer = honestAnswer(said.shift());
          if (answer) tell(answer);
        },
        wait: () => clock.advance(1_000),
      };
      act.enrol!();
      for (const step of steps) {
        if (typeof step === "string" || step instanceof Uint8Array) tell(step);
        else act[step.verb]!();
        await setImmediate();
        clock.advance(1);
      }
      const closed = link.close();
      await clock.advanceAsync(10_000);
      await Promise.all([closed, ...outcomes]);
      await setImmediate();
      dialogs += attached;
      channels += relayed;
      assert.equal(channelEnds, relayed, "every channel closes once");
      assert.equal(ends, attached, "every dialog ends once");
      assert.equal(clock.armed, 0, "a timer is left");
    },
  );
  await fc.assert(property, randomRuns(200));
  assert.ok(dialogs > 20, `the runs should reach deep: ${dialogs} dialogs`);
  assert.ok(channels > 10, `the runs should reach deep: ${channels} channels`);
});
