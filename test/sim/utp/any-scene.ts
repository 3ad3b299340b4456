import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { ConnectionOptions } from "../../../src/utp/options.ts";
import type { LinkOptions } from "../../kit/link.ts";
import type { Trace } from "../../kit/trace.ts";
import type { Script } from "./party.ts";
import { type DialScript, Scene } from "./scene.ts";

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** Any link that lets enough through: up to 30 % loss, singly or in bursts. */
function anyLink(random: SeededRandom): LinkOptions {
  const loss = pick(random, [0, 0.01, 0.1 * random.next(), 0.3 * random.next(), "bursts"] as const);
  return {
    latency: pick(random, [0, 1, 20, 150 * random.next()]),
    jitter: pick(random, [0, 2, 60 * random.next()]),
    loss: loss === "bursts" ? { enter: 0.02, leave: 0.2 + 0.3 * random.next(), good: 0.02 } : loss,
    reorder: pick(random, [0, 0, 0.02, 0.3]),
    reorderDelay: 1 + 80 * random.next(),
    duplicate: pick(random, [0, 0, 0.1]),
    ...pick(random, [{}, {}, { rate: 2e6, queueMillis: 200 }, { rate: 1e6, queueBytes: 6000 }]),
    ...pick(random, [{}, {}, { mtu: 1280 + random.integer(221) }]),
  };
}

function anyOptions(random: SeededRandom): ConnectionOptions {
  return {
    // Links that lose so much may be silent for long.
    timeout: 300_000,
    noDelay: random.chance(0.3),
    boundaries: random.chance(0.2),
    extensions: random.chance(0.8),
    ...pick(random, [{}, {}, { maxPayload: 300 + random.integer(900) }]),
    ...pick(random, [{}, {}, { maxInFlight: 1 + random.integer(8) }]),
    ...pick(random, [{}, { sendBuffer: 1 + random.integer(5000) }]),
  };
}

function anyScript(random: SeededRandom, reads: boolean): Partial<Script> {
  const bytes = random.integer(10 ** (1 + random.integer(5)));
  const pauses = reads ? random.integer(3) : 0;
  return {
    bytes: random.chance(0.2) ? 0 : bytes,
    chunk: pick(random, [1 + random.integer(100), 1400, 16_384]) + Math.floor(bytes / 500),
    reads: pick(random, [0, 65_536, 1 + random.integer(3000)]),
    pauses,
    pause: pick(random, [10, 1000, 20_000 * random.next()]),
    pauseEvery: 1 + random.integer(20_000),
    answers: false,
  };
}

/** A dial by either side; both applications write, read and pause as they like, and end. */
export function anyDial(random: SeededRandom): DialScript {
  const answers = pick(random, ["dialler", "acceptor", "nobody", "nobody"] as const);
  return {
    from: pick(random, ["a", "b"]),
    at: pick(random, [0, 0, random.next() * 500]),
    dialler: { ...anyScript(random, true), answers: answers === "dialler" },
    acceptor: { ...anyScript(random, true), answers: answers === "acceptor" },
    firstFlight: random.chance(0.3) ? random.integer(2000) : 0,
    // Less than an acceptor waits for proof, or it accepts the same dial twice.
    options: { pad: random.chance(0.5), connectTimeout: 9000 },
  };
}

/** Two endpoints with any options, on any links. */
export function anyScene(seed: number, trace: Trace): Scene {
  const random = seededRandom(seed * 3 + 1);
  return new Scene({
    seed,
    trace,
    link: { ab: anyLink(random), ba: anyLink(random) },
    options: anyOptions(random),
    receiveWindow: pick(random, [65_536, 1500, 1 + random.integer(8000)]),
  });
}
