import { test } from "node:test";
import { forEachSeed } from "../../kit/seeds.ts";
import { gather } from "./crowd.ts";

test("a hundred clients talk, lose their registrar and talk again", () =>
  forEachSeed(2, (seed) => gather(100, seed)));
