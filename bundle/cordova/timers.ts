// What `chrome-net` asks of `node:timers` for its idle time-outs. Channels have none: a socket's idle timer is 1tp's own.

/** Does nothing. */
export function enroll(): void {}

export { enroll as _unrefActive, enroll as unenroll };
