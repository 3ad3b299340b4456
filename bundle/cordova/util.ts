/** What `chrome-net` asks of `node:util`: the function itself. */
export function deprecate<Deprecated>(task: Deprecated): Deprecated {
  return task;
}
