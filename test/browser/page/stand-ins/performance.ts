// What tests use of `node:perf_hooks`.
const { performance: clock } = globalThis;

export { clock as performance };
