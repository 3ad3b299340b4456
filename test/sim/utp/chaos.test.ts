import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../../kit/seeds.ts";
import { anyDial, anyScene } from "./any-scene.ts";

test("every byte arrives once and in order over any link", async () => {
  let dialogues = 0;
  let errors = 0;
  await forEachSeed(2000, (seed, trace) => {
    const scene = anyScene(seed, trace);
    for (let dials = 1 + scene.random.integer(3); dials > 0; dials--) scene.dial(anyDial(scene.random));
    errors += scene.playClean();
    dialogues += scene.dialogues.length;
  });
  assert.ok(errors <= Math.ceil(dialogues / 400), `${errors} of ${dialogues} connections failed`);
});
