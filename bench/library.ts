import type * as Library from "../src/index.ts";

const BUILD = new URL("../dist/src/index.js", import.meta.url).href;

/** The library as its users get it: the build, which `npm run bench` makes first. */
export const { net, transports }: typeof Library = await import(BUILD);
