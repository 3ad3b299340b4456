import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { runExample, startExample } from "./example.ts";

describe("every example", () => {
  const files = readdirSync("examples")
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `examples/${file}`);
  const tests = readdirSync("test/examples").map((file) => readFileSync(`test/examples/${file}`, "utf8"));

  for (const file of files) {
    const source = readFileSync(file, "utf8");
    const name = file.slice("examples/".length, -".ts".length);

    test(`${name} says on top what it shows and how to run it`, () => {
      const [shows = "", run = "", code = ""] = source.split("\n");
      assert.match(shows, /^\/\/ \S.*[.:]/);
      assert.match(run, /^\/\/ Run/);
      assert.ok(run.includes(`npx tsx -C 1tp-source ${file}`), run);
      assert.doesNotMatch(code, /^\/\//);
    });

    test(`${name} imports 1tp and node:* only, so that it can be copied`, () => {
      const imported = [...source.matchAll(/(?:from|import) ["'](.+?)["']/g)].map(([, from]) => `${from}`);
      const own = imported.filter((from) => /^1tp(\/|$)/.test(from));
      assert.ok(own.length > 0);
      assert.deepEqual(
        imported.filter((from) => !own.includes(from) && !from.startsWith("node:")),
        [],
      );
    });

    test(`${name} is run by a test`, () => {
      assert.ok(tests.some((each) => new RegExp(`Example\\(\\s*"${name}"`).test(each)));
    });
  }
});

describe("echo", () => {
  test("prints what came back", async () => {
    const { code, stdout, stderr } = await runExample("echo");
    assert.equal(stderr, "");
    assert.match(stdout, /^hello over [a-z]+\n$/);
    assert.equal(code, 0);
  });

  test("is the first code in the README, word for word", () => {
    const [, shown] = /```ts\n(.*?)```/s.exec(readFileSync("README.md", "utf8")) ?? [];
    const code = readFileSync("examples/echo.ts", "utf8").split("\n").slice(2).join("\n");
    assert.equal(code, shown);
  });
});

describe("echo-two-processes", () => {
  test("a client finds the server by its ticket, and both end", async () => {
    const server = startExample("echo-two-processes", "server");
    const client = await runExample("echo-two-processes", "client", await server.firstLine);
    assert.deepEqual([client.code, client.stderr], [0, ""]);
    assert.match(client.stdout, /^'hello' came back over [a-z]+\n$/);
    const { code, stdout, stderr } = await server.ending;
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^1tp:[\w-]+\n$/);
  });

  test("what is no ticket and what is no command end with 1 and a reason", async () => {
    const [broken, empty] = await Promise.all([
      runExample("echo-two-processes", "client", "1tp:nonsense"),
      runExample("echo-two-processes"),
    ]);
    assert.deepEqual([broken.code, broken.stdout], [1, ""]);
    assert.match(broken.stderr, /this is no ticket/);
    assert.deepEqual([empty.code, empty.stdout], [1, ""]);
    assert.match(empty.stderr, /give me 'server'/);
  });
});

test("http-over-1tp makes two requests over one connection", async () => {
  const { code, stdout, stderr } = await runExample("http-over-1tp");
  assert.equal(stderr, "");
  const [first, second, ...more] = stdout.split("\n");
  assert.match(`${first}`, /^200 over [a-z]+, a new connection: You asked for \/\.$/);
  assert.match(`${second}`, /^200 over [a-z]+, the same connection: You asked for \/again\.$/);
  assert.deepEqual(more, [""]);
  assert.equal(code, 0);
});

test("own-transport wins by its cost where both sides have it, and tcp does the rest", async () => {
  const { code, stdout, stderr } = await runExample("own-transport");
  assert.equal(stderr, "");
  assert.deepEqual(stdout.split("\n"), [
    "a client with tcp and unix: hello over unix",
    "a client with tcp alone: hello over tcp",
    "",
  ]);
  assert.equal(code, 0);
});

test("own-scheduler gives IPv6 its head start and draws the time line", async () => {
  const { code, stdout, stderr } = await runExample("own-scheduler");
  assert.equal(stderr, "");
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((row) => /^tcp (\S+):\d+ +\| *(=+) *\| (\d+) to (\d+) ms, (\w+)(.*)$/.exec(row)?.slice(1));
  const summary = rows.map((row) => [row?.[0], row?.[4], row?.[5]]);
  assert.deepEqual(summary, [
    ["[::1]", "aborted", ""],
    ["127.0.0.1", "failed", " in connect: connect ECONNREFUSED 127.0.0.1:9"],
    ["127.0.0.1", "won", ""],
  ]);
  const [first, second, third] = rows.map((row) => Number(row?.[2]));
  assert.ok(first! <= second! && second! >= 100 && third! >= second!, stdout);
  assert.equal(code, 0);
});
