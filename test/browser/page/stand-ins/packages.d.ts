declare module "*/assert/build/assert.js" {
  export const strict: typeof import("node:assert/strict");
}

declare module "readable-stream/lib/stream/promises.js" {
  export const { finished, pipeline }: typeof import("node:stream/promises");
}
