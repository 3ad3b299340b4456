import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Directory, Place } from "../../src/contract/directory.ts";

/** What `testDirectory` has to know of an implementation. */
export interface DirectorySetup {
  readonly name: string;
  /** An empty directory and what gives it back. */
  start(): Promise<{ readonly directory: Directory; stop(): Promise<void> }>;
}

const UID = "00112233445566778899aabbccddeeff";
const HERE: Place = { registrar: "one", connection: 1 };
const THERE: Place = { registrar: "two", connection: 1 };

/** Every rule of `contract/directory.ts`. */
export function testDirectory(setup: DirectorySetup): void {
  const check = (fact: string, body: (directory: Directory) => Promise<void>): void => {
    test(fact, { timeout: 30_000 }, async () => {
      const { directory, stop } = await setup.start();
      try {
        await body(directory);
      } finally {
        await stop();
      }
    });
  };

  describe(`directory ${setup.name}`, () => {
    check("a uid is where it was claimed last, and who claims is told where it was", async (directory) => {
      assert.equal(await directory.locate(UID), undefined);
      assert.equal(await directory.claim(UID, HERE), undefined);
      assert.deepEqual(await directory.locate(UID), HERE);
      assert.deepEqual(await directory.claim(UID, THERE), HERE);
      assert.deepEqual(await directory.claim(UID, THERE), THERE);
      assert.deepEqual(await directory.locate(UID), THERE);
    });

    check("a release counts only for the place that has the uid", async (directory) => {
      await directory.claim(UID, HERE);
      await directory.release(UID, THERE);
      await directory.release(UID, { ...HERE, connection: 2 });
      assert.deepEqual(await directory.locate(UID), HERE);
      await directory.release(UID, HERE);
      await directory.release(UID, HERE);
      assert.equal(await directory.locate(UID), undefined);
    });

    check("calls take effect in the order they are made", async (directory) => {
      const results = [
        directory.claim(UID, HERE),
        directory.release(UID, HERE),
        directory.claim(UID, THERE),
        directory.release(UID, HERE),
        directory.locate(UID),
      ];
      assert.deepEqual(await Promise.all(results), [undefined, undefined, undefined, undefined, THERE]);
    });

    check("posts reach the subscriber of their name, in order, from the event loop", async (directory) => {
      const posts: string[] = [];
      let told: () => void = () => {};
      const all = new Promise<void>((resolve) => {
        told = resolve;
      });
      await directory.subscribe("one", (post) => {
        posts.push(post);
        if (posts.length === 100) told();
      });
      const strangers: string[] = [];
      await directory.subscribe("two", (post) => strangers.push(post));
      const delivered = Array.from({ length: 100 }, (_, i) => directory.deliver("one", `post ${i}`));
      assert.deepEqual(posts, []);
      assert.ok((await Promise.all(delivered)).every((result) => result === true));
      await all;
      assert.deepEqual(
        posts,
        Array.from({ length: 100 }, (_, i) => `post ${i}`),
      );
      assert.deepEqual(strangers, []);
    });

    check("a post for a name without subscriber is not delivered", async (directory) => {
      assert.equal(await directory.deliver("one", "post"), false);
      const posts: string[] = [];
      const end = await directory.subscribe("one", (post) => posts.push(post));
      await end();
      assert.equal(await directory.deliver("one", "post"), false);
      assert.deepEqual(posts, []);
    });
  });
}
