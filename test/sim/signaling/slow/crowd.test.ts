import { test } from "node:test";
import { forEachSeed } from "../../../kit/seeds.ts";
import { gather } from "../crowd.ts";

test("ten thousand clients talk, lose their registrar and talk again", { timeout: 300_000 }, () =>
  forEachSeed(1, (seed) => gather(10_000, seed)),
);
