// `node:stream/promises`, of the same package as the library's streams.
export { finished, pipeline } from "readable-stream/lib/stream/promises.js";
