import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { forbiddenImports, type Table, targetOf } from "./layers/import-table.ts";
import { faultsOf, importsOf } from "./layers/source-file.ts";

const FOUNDATION = ["src/contract", "src/base"];
const ENGINES = ["src/utp", "src/stun", "src/turn", "src/nat", "src/session", "src/scheduler"];
const PLUGS = ["transports/*", "signaling/*"];

/**
 * What each room may import besides itself, types included: Node's own types come through #platform too.
 * A row for `transports/*` holds for each folder there, none of which may import another. Whoever adds
 * a room adds its row.
 */
const LAYERS: Table = {
  "src/contract": [],
  "src/base": ["src/contract"],
  "src/utp": FOUNDATION,
  "src/stun": FOUNDATION,
  "src/session": FOUNDATION,
  "src/scheduler": FOUNDATION,
  "src/turn": [...FOUNDATION, "src/stun"],
  "src/nat": [...FOUNDATION, "src/stun"],
  "src/platform": [...FOUNDATION, "node:*"],
  "src/host": [...FOUNDATION, ...ENGINES, "#platform"],
  "src/net": [...FOUNDATION, "src/scheduler", "src/session", "#platform"],
  "src/utp-net": [...FOUNDATION, "src/utp", "src/host", "src/net", "#platform"],
  "src/preset": [...FOUNDATION, ...ENGINES, "src/host", "src/net", "#platform", ...PLUGS],
  "src/cli": ["src/index.ts", "signaling/registrar", "node:*"],
  "src/portable.ts": [
    ...FOUNDATION,
    "src/scheduler",
    "src/session",
    "src/host",
    "src/net",
    "#platform",
    ...PLUGS,
  ],
  "src/index.ts": ["src/portable.ts", "src/net", "src/preset", ...PLUGS],
  "src/browser.ts": ["src/portable.ts", "src/net", "src/preset", ...PLUGS],
  "transports/*": [...FOUNDATION, ...ENGINES, "src/host", "#platform"],
  "signaling/*": [...FOUNDATION, "src/host", "#platform"],
  "signaling/registrar": [...FOUNDATION, "src/stun", "src/host", "#platform"],
  "signaling/introducer": [...FOUNDATION, "#platform", "signaling/registrar", "signaling/websocket"],
  "signaling/websocket": [...FOUNDATION, "src/host", "#platform", "signaling/registrar"],
};

/** The rooms each dependency was added for (DESIGN §12 gives the reasons). */
const PACKAGES: Table = {
  "@noble/ciphers": ["src/platform"],
  "@noble/curves": ["src/platform"],
  "@noble/hashes": ["src/platform"],
  buffer: ["src/platform"],
  events: ["src/platform"],
  "p-any": ["src/net"],
  "readable-stream": ["src/platform"],
  "simple-peer": ["transports/webrtc"],
  wrtc: ["src/platform"],
  ws: ["src/platform"],
};

const FILES = ["src", "transports", "signaling"]
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  )
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, source: readFileSync(path, "utf8") }));

describe("the layers", () => {
  it("import only what the table allows", () => {
    const faults = FILES.flatMap(({ path, source }) =>
      forbiddenImports(path, importsOf(source), LAYERS, PACKAGES),
    );
    assert.deepEqual(faults, []);
  });

  it("use every dependency, each in a room it was added for", () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    assert.deepEqual(
      Object.keys({ ...dependencies, ...optionalDependencies }).sort(),
      Object.keys(PACKAGES).sort(),
    );
    const used = new Set(
      FILES.flatMap(({ path, source }) => importsOf(source).map((specifier) => targetOf(path, specifier))),
    );
    const idle = Object.keys(PACKAGES).filter((name) => !used.has(name));
    assert.deepEqual(idle, []);
  });

  it("hold small, documented, well-named files", () => {
    const faults = FILES.flatMap(({ path, source }) =>
      faultsOf(path, source).map((fault) => `${path}: ${fault}`),
    );
    assert.deepEqual(faults, []);
  });
});

describe("the layer checker", () => {
  const layers: Table = {
    "src/base": ["src/contract"],
    "src/net": ["#platform"],
    "transports/*": ["#platform"],
  };
  const faults = (file: string, source: string) =>
    forbiddenImports(file, importsOf(source), layers, { ws: ["transports/tcp"] });

  it("sees every form of import", () => {
    const source = [
      'import "a";',
      'import b from "b";',
      'import {\n  c,\n  type d,\n} from "c";',
      'import type { d } from "d";',
      'export { e } from "e";',
      'export * from "f";',
      'export type { g } from "g";',
      'const h = await import("h");',
      'function i(x: import("i").I) {}',
      "await import(name);",
      'const j = createRequire(import.meta.url)("j");',
      'export const k = "k";',
      '/** @example import l from "l"; await import("l"); */',
      '  // import("m")',
    ].join("\n");
    const seen = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "(computed)", "(require)"];
    assert.deepEqual(importsOf(source), seen);
  });

  it("lets a room import itself and what its row names", () => {
    assert.deepEqual(faults("src/base/ip.ts", 'import "./bytes.ts";\nimport "../contract/clock.ts";'), []);
    assert.deepEqual(
      faults("transports/tcp/a.ts", 'import "#platform";\nimport "./b.ts";\nimport "ws";'),
      [],
    );
    assert.deepEqual(faults("src/net/a.ts", 'import { Duplex } from "#platform";'), []);
  });

  it("names the file and the import that the table forbids", () => {
    const forbidden = [
      ["src/base/ip.ts", "../net/socket.ts"],
      ["src/base/ip.ts", "node:net"],
      ["src/base/ip.ts", "../../transports/tcp/index.ts"],
      ["src/base/ip.ts", "../../test/kit/link.ts"],
      ["src/base/ip.ts", "#platform"],
      ["src/base/ip.ts", "1tp"],
      ["src/base/ip.ts", "ws"],
      ["src/net/socket.ts", "node:net"],
      ["transports/tcp/index.ts", "../udp/index.ts"],
      ["transports/tcp/index.ts", "../../src/net/socket.ts"],
      ["transports/udp/index.ts", "ws/lib/sender.js"],
      ["transports/udp/index.ts", "@noble/ciphers/aes"],
    ] as const;
    for (const [file, specifier] of forbidden) {
      const [fault, ...more] = faults(file, `import x from "${specifier}";`);
      assert.ok(fault?.startsWith(`${file} imports ${specifier},`), `${file} ${specifier}: ${fault}`);
      assert.deepEqual(more, []);
    }
    assert.equal(faults("src/base/ip.ts", "await import(name);").length, 1);
    assert.equal(faults("src/base/ip.ts", 'require("net");').length, 1);
  });

  it("wants a row for every room", () => {
    assert.match(faults("src/attic/a.ts", "")[0] ?? "", /src\/attic has no row/);
  });

  it("sees what else breaks the rules", () => {
    const broken: Record<string, string> = {
      "src/a/helpers.ts": "",
      "src/a/dial-manager.ts": "",
      "src/a/camelCase.ts": "",
      "src/a/default.ts": "export default 1;",
      "src/a/renamed.ts": "export { a as default };",
      "src/a/unfinished.ts": "// TODO: finish",
      "src/a/random.ts": "const a = Math.random();",
      "src/a/bare.ts": "export const a = 1;",
      "src/a/group.ts": "/** One. */\nexport const a = 1;\n\nexport const b = 2;",
      "src/a/loose.ts": "/** Far away. */\nconst b = 1;\nexport function a() {}",
      "src/a/long.ts": `${"\n".repeat(399)}a();`,
    };
    for (const [file, source] of Object.entries(broken)) {
      assert.equal(faultsOf(file, source).length, 1, `${file}: ${faultsOf(file, source)}`);
    }
  });

  it("accepts what follows the rules", () => {
    const overloads =
      "/** Does. */\nexport function a(b: 1): void;\nexport function a(b: 2): void;\nfunction c() {}";
    assert.deepEqual(faultsOf("src/a/dial-policy.ts", overloads), []);
    const group = "/** Both. */\nexport const a = 1;\nexport const b = 2;";
    assert.deepEqual(faultsOf("src/a/packet.ts", group), []);
    assert.deepEqual(faultsOf("src/a/common-name.d.ts", 'export { b } from "b";').length, 1);
    assert.deepEqual(faultsOf("src/a/typescript.ts", "/** One. */\nexport type A = 1;\n"), []);
  });
});
