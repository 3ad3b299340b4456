import assert from "node:assert/strict";
import { connect, createServer, Socket } from "node:net";
import { test } from "node:test";
import {
  checkMillis,
  checkOptional,
  checkPort,
  rangeError,
  typeError,
  valueError,
} from "../../../src/base/argument.ts";

/** Whatever `action` throws, as programs and people see it. */
function thrownBy(action: () => unknown) {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof Error);
    const { name, message } = error;
    return { name, message, code: (error as NodeJS.ErrnoException).code };
  }
  return undefined;
}

/** Values of every type, with those whose description has a twist. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  "text",
  "",
  "it's",
  "both ' and \"",
  "exactly twenty-eight letters",
  "more than twenty-eight letters",
  10n,
  Symbol("s"),
  {},
  Object.create(null),
  [1],
  new Map(),
  new (class Custom {})(),
  () => {},
  function named() {},
  class Kind {},
];

test("a wrong type is described as Node describes it", () => {
  for (const value of VALUES) {
    const real = thrownBy(() => new Socket().setTimeout(value as never));
    const ours = thrownBy(() => checkMillis("msecs", value));
    // Node prints an object without a prototype in full.
    const text = real?.message.replace("[Object: null prototype] {}", "[Object: null prototype]");
    assert.deepEqual(ours, { ...real, message: text });
  }
});

test("numbers of the wrong type keep their sign and their kind", () => {
  for (const value of [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40]) {
    const real = thrownBy(() => Buffer.from(value as never));
    const description = real?.message.split("Received ")[1];
    assert.equal(typeError("x", "of type string", value).message.split("Received ")[1], description);
  }
});

test("a name with a dot is a property, without one an argument", () => {
  const real = thrownBy(() => connect({ port: true as never, host: "127.0.0.1" }));
  const ours = thrownBy(() => {
    throw typeError("options.port", "one of type number or string", true);
  });
  assert.deepEqual(ours, real);
  assert.match(valueError("options.x", "is invalid", 1).message, /^The property 'options\.x' is invalid/);
  assert.match(typeError("x", "y", 1).message, /^The "x" argument/);
});

test("a value that is not allowed is told as Node tells it", () => {
  const real = thrownBy(() => Buffer.alloc(4).fill("zz", "hex"));
  assert.deepEqual(
    thrownBy(() => {
      throw valueError("value", "is invalid", "zz");
    }),
    real,
  );
  assert.match(valueError("x", "is invalid", [1]).message, /Received an instance of Array$/);
  assert.match(valueError("x", "is invalid", -0).message, /Received -0$/);
});

test("a number out of range is told as Node tells it, large ones with separators", () => {
  for (const value of [-1, Number.NaN, Number.NEGATIVE_INFINITY, -(2 ** 32), -(2 ** 40), -1234567890123]) {
    const real = thrownBy(() => new Socket().setTimeout(value));
    const ours = thrownBy(() => {
      throw rangeError("msecs", "a non-negative finite number", value);
    });
    assert.deepEqual(ours, real);
  }
});

test("durations are finite numbers that fit a timer", () => {
  for (const value of [0, 0.5, 1, 2 ** 31 - 1]) checkMillis("ms", value);
  for (const value of [-1, -0.001, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => checkMillis("ms", value), { code: "ERR_OUT_OF_RANGE", name: "RangeError" });
  }
});

test("ports are accepted and refused as net does, with its message", () => {
  const ports = [
    0,
    1,
    65_535,
    "0",
    "80",
    " 80 ",
    "0x50",
    "8e1",
    65_536,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    " ",
    "x",
    "80x",
    "-1",
    "1e9",
    "1.5",
    "65536",
  ];
  for (const port of ports) {
    const server = createServer().on("error", () => {});
    const real = thrownBy(() => server.listen({ port: port as number, host: "127.0.0.1" }));
    server.close();
    const ours = thrownBy(() => checkPort("options.port", port));
    assert.deepEqual(ours, real, JSON.stringify(port));
    if (!ours) assert.equal(checkPort("options.port", port), Number(port));
  }
});

test("what is neither number nor string is no port", () => {
  for (const port of [true, null, undefined, {}, [80], 80n, Symbol("80"), () => 80, new Date(80)]) {
    assert.throws(() => checkPort("port", port), { code: "ERR_SOCKET_BAD_PORT" });
  }
});

test("optional arguments may be absent, null is not absent, and the type is named", () => {
  checkOptional("x", undefined, "string");
  checkOptional("x", "", "string");
  checkOptional("x", {}, "object");
  checkOptional("x", Number.NaN, "number");
  checkOptional("x", () => {}, "function");
  for (const type of ["boolean", "function", "number", "object", "string"] as const) {
    assert.throws(() => checkOptional("x", null, type), { code: "ERR_INVALID_ARG_TYPE" });
  }
  assert.throws(() => checkOptional("options.x", 1, "boolean"), {
    message: 'The "options.x" property must be of type boolean. Received type number (1)',
  });
  assert.throws(() => checkOptional("x", 1, "object"), {
    message: 'The "x" argument must be an object. Received type number (1)',
  });
});
