import type { Instant } from "./clock.ts";
import type { Datagram } from "./datagram-socket.ts";

/**
 * A protocol state machine without I/O. Five verbs, the same in every protocol room.
 *
 * Invariant: after every `handle…` call, and after every other call that changes the engine, drain
 * `pollTransmit` and `pollEvent` until both return undefined, and only then read `pollTimeout`.
 * `base/drive.ts` does this; nothing else should.
 */
export interface Engine<Event, Out = Datagram> {
  /** Call at or after the instant `pollTimeout` gave. Calling early changes nothing. */
  handleTimeout(now: Instant): void;
  /** The next thing to send; valid until the next call of any verb. */
  pollTransmit(now: Instant): Out | undefined;
  pollEvent(): Event | undefined;
  /** When to call `handleTimeout`; undefined when the engine waits only for input. */
  pollTimeout(): Instant | undefined;
}

/** An engine that is fed with datagrams. */
export interface DatagramEngine<Event> extends Engine<Event, Datagram> {
  /** The fifth verb. Never throws on hostile input: drops it and counts it. */
  handleDatagram(datagram: Datagram, now: Instant): void;
}
